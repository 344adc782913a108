#include <type_traits>

#include "base/component.hpp"
#include "shards/tar_reader.hpp"

extern "C" MOA_API int moa_open_archive(const std::string* path, const std::string_view* bytes,
                                        std::unique_ptr<moa::train::ArchiveReader>* reader,
                                        std::string* message) {
  return moa::without_exceptions(message, "cannot open an archive: out of memory",
                                 [&] { *reader = moa::train::open_tar(*path, bytes); });
}

static_assert(std::is_same_v<decltype(moa_open_archive), moa::train::OpenArchive>);
