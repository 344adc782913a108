#include "base/file.hpp"

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <thread>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

TEST(MappedFile, ShowsTheBytesOfTheFile) {
  const TemporaryDirectory directory;
  const fs::path path = directory.write("file", std::string_view("a\0b", 3));
  const MappedFile file = MappedFile::open(path);
  EXPECT_EQ(as_text(file.bytes()), std::string_view("a\0b", 3));
  EXPECT_EQ(file.path(), path);
}

TEST(MappedFile, MapsAnEmptyFile) {
  const TemporaryDirectory directory;
  EXPECT_TRUE(MappedFile::open(directory.write("empty", "")).bytes().empty());
}

TEST(MappedFile, StaysMappedAsLongAsACopyLives) {
  const TemporaryDirectory directory;
  MappedFile copy = MappedFile::open(directory.write("one", "1"));
  {
    const MappedFile file = MappedFile::open(directory.write("file", "content"));
    copy = file;
  }
  fs::remove(directory.path() / "file");
  EXPECT_EQ(as_text(copy.bytes()), "content");
}

TEST(MappedFile, ReportsWhatCannotBeMapped) {
  const TemporaryDirectory directory;
  MOA_EXPECT_ERROR(MappedFile::open(directory.path() / "absent"), not_found);
  MOA_EXPECT_ERROR(MappedFile::open(directory.path()), io_error);
  directory.write("file", "");
  MOA_EXPECT_ERROR(MappedFile::open(directory.path() / "file" / "below"), not_found);
}

TEST(DropPages, KeepsTheContent) {
  const TemporaryDirectory directory;
  const std::string content(100'000, 'x');
  const MappedFile file = MappedFile::open(directory.write("file", content));
  drop_pages(file.bytes());
  drop_pages(file.bytes().subspan(1, 10));
  drop_pages({});
  EXPECT_EQ(as_text(file.bytes()), content);
}

TEST(ReadFile, ReadsUpToTheLimit) {
  const TemporaryDirectory directory;
  const fs::path path = directory.write("file", std::string(200'000, 'y'));
  EXPECT_EQ(read_file(path, 200'000), std::string(200'000, 'y'));
  MOA_EXPECT_ERROR(read_file(path, 199'999), limit_exceeded);
  EXPECT_EQ(read_file(directory.write("empty", ""), 0), "");
  MOA_EXPECT_ERROR(read_file(directory.path() / "absent", 1), not_found);
  MOA_EXPECT_ERROR(read_file(directory.path(), 1), io_error);
}

TEST(ReadFile, ReadsWhatHasNoSizeOfItsOwn) {
  EXPECT_FALSE(read_file("/proc/self/status", 1 << 20).empty());
  MOA_EXPECT_ERROR(read_file("/dev/zero", 1 << 20), limit_exceeded);
}

TEST(WriteFileAtomically, ReplacesTheFile) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  write_file_atomically(path, "one");
  write_file_atomically(path, std::string_view("t\0o", 3));
  EXPECT_EQ(read_file(path, 10), std::string_view("t\0o", 3));
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(WriteFileAtomically, ShowsAReaderTheOldFileOrTheNewOne) {
  const TemporaryDirectory directory;
  const fs::path path = directory.path() / "file";
  const std::string old_content(50'000, 'o');
  const std::string new_content(60'000, 'n');
  write_file_atomically(path, old_content);
  std::thread writer([&] {
    for (int i = 0; i < 20; ++i) write_file_atomically(path, i % 2 == 0 ? new_content : old_content);
  });
  for (int i = 0; i < 200; ++i) {
    const std::string seen = read_file(path, 1 << 20);
    EXPECT_TRUE(seen == old_content || seen == new_content);
  }
  writer.join();
}

TEST(WriteFileAtomically, LeavesTheOldFileWhenTheDiskIsFull) {
  const TemporaryDirectory directory;
  const fs::path path = directory.write("file", "old");
  rlimit unlimited{};
  ::getrlimit(RLIMIT_FSIZE, &unlimited);
  rlimit small = unlimited;
  small.rlim_cur = 1000;
  std::signal(SIGXFSZ, SIG_IGN);
  ::setrlimit(RLIMIT_FSIZE, &small);
  MOA_EXPECT_ERROR(write_file_atomically(path, std::string(5000, 'n')), io_error);
  ::setrlimit(RLIMIT_FSIZE, &unlimited);
  EXPECT_EQ(read_file(path, 10), "old");
  EXPECT_EQ(std::distance(fs::directory_iterator(directory.path()), {}), 1);
}

TEST(MappedFile, ThatNoMemoryCanHoldIsALimitExceeded) {
  const int fd = ::memfd_create("large", 0);
  ASSERT_EQ(::ftruncate(fd, std::int64_t{1} << 48), 0);
  MOA_EXPECT_ERROR(MappedFile::open("/proc/self/fd/" + std::to_string(fd)), limit_exceeded);
  ::close(fd);
}

TEST(WriteFileAtomically, ReportsAFolderThatIsNotThere) {
  const TemporaryDirectory directory;
  MOA_EXPECT_ERROR(write_file_atomically(directory.path() / "absent" / "file", "x"), not_found);
}

}  // namespace
}  // namespace moa
