// An index as a stranger may hand it over: any bytes as the catalogue, with and without its vectors, are
// opened, inspected and searched, or refused with an Error.
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <moa/error.hpp>

#include "scratch_folder.hpp"
#include "search/catalogue.hpp"
#include "search/opened.hpp"

namespace {

using namespace moa::search;

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  moa::fuzz::write_scratch("index", moa::fuzz::bytes_of(data, size));
  const std::filesystem::path file = moa::fuzz::scratch_folder() / "index";
  try {
    Contents contents;
    {
      moa::Database database = moa::Database::open(file, moa::Database::Access::read);
      contents = Catalogue(database).load();
    }
    const Heading& heading = contents.heading;
    if (heading.rows < 1000) {
      const std::string header =
          format_vector_header({heading.dim, heading.generation, heading.model_identity});
      std::ofstream vectors(file.string() + ".vectors", std::ios::binary);
      vectors << header
              << std::string(static_cast<std::size_t>(heading.rows * heading.dim) * sizeof(float), '\0');
    }
    const Opened opened(file, {"", heading.model_identity, heading.dim},
                        moa::Collection::Mode::open_existing);
    opened.search(std::vector<float>(static_cast<std::size_t>(heading.dim)), {});
  } catch (const moa::Error&) {
  }
  return 0;
}
