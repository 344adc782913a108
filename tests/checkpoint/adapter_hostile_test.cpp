// Adapters made to mislead, in tests/hostile/adapter: a configuration, a zero byte and a file of tensors.
// Each is refused, when it is opened, added or read, and the sound ones of the fuzz corpus are not.
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <moa/error.hpp>

#include "base/file.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/adapter.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// As the files' layers are called.
Weights weights() {
  Weights all;
  const auto add = [&](const char* name, std::int64_t out, std::int64_t in) {
    all.add(Parameter::from_values(name, {out, in},
                                   std::vector<float>(static_cast<std::size_t>(out * in), 1.0F)));
  };
  add("t.q.weight", 8, 8);
  add("t.up.weight", 16, 8);
  add("t.down.weight", 8, 16);
  return all;
}

void use(const fs::path& file) {
  const std::string bytes = read_file(file, 1 << 20);
  const std::size_t zero = bytes.find('\0');
  const testing::TemporaryDirectory folder;
  folder.write("adapter_config.json", bytes.substr(0, zero));
  folder.write("adapter_model.safetensors", bytes.substr(zero + 1));
  const Weights merged = Adapter::open(folder.path()).merged_into(weights());
  for (const Parameter& parameter : merged.parameters()) {
    const std::vector<float> whole = parameter.read();
    std::vector<float> row(static_cast<std::size_t>(parameter.shape()[1]));
    parameter.read_rows(3, 1, row.data());  // a row is what it is among the others
    EXPECT_TRUE(std::equal(row.begin(), row.end(), whole.begin() + 3 * parameter.shape()[1])) << file;
  }
}

TEST(HostileAdapters, AreRefused) {
  std::size_t count = 0;
  for (const fs::directory_entry& entry :
       fs::directory_iterator(fs::path(MOA_TEST_DATA) / "hostile" / "adapter")) {
    EXPECT_THROW(use(entry.path()), Error) << entry.path();
    ++count;
  }
  EXPECT_GT(count, 30U);
}

TEST(HostileAdapters, AreUnlikeSoundOnes) {
  for (const char* kind : {"lora", "tt_lora", "tt_matrix", "shared"}) {
    EXPECT_NO_THROW(use(fs::path(MOA_SOURCE_DIR) / "fuzz" / "corpus" / "adapter" / kind)) << kind;
  }
}

}  // namespace
}  // namespace moa
