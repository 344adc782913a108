#include "base/new_directory.hpp"

#include <unistd.h>

#include <atomic>
#include <string>

#include <gtest/gtest.h>
#include <moa/error.hpp>

#include "base/expect_error.hpp"
#include "base/file.hpp"

namespace moa {
namespace {

class Directories : public testing::Test {
 protected:
  void SetUp() override { std::filesystem::create_directories(root_); }
  void TearDown() override { std::filesystem::remove_all(root_); }
  std::ptrdiff_t entries() const {
    return std::distance(std::filesystem::directory_iterator(root_), std::filesystem::directory_iterator());
  }
  ErrorCode code_of(const std::filesystem::path& place) const {
    try {
      NewDirectory directory(place);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }

  std::filesystem::path root_ =
      std::filesystem::temp_directory_path() / ("moa-new-directory-" + std::to_string(::getpid()));
};

TEST_F(Directories, AppearWholeWhenTheyAreCommitted) {
  NewDirectory directory(root_ / "out/");
  directory.write("folder/file", "content");
  EXPECT_FALSE(std::filesystem::exists(root_ / "out"));
  directory.commit();
  EXPECT_EQ(read_file(root_ / "out/folder/file", 100), "content");
  EXPECT_EQ(entries(), 1);
}

TEST_F(Directories, LeaveNothingBehindWhenTheyAreNot) {
  {
    NewDirectory directory(root_ / "out");
    directory.write("file", "content");
  }
  EXPECT_EQ(entries(), 0);
}

TEST_F(Directories, AreNotPutInThePlaceOfOthers) {
  std::filesystem::create_directory(root_ / "there");
  std::filesystem::create_symlink("nowhere", root_ / "link");
  EXPECT_EQ(code_of(root_ / "there"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(root_ / "link"), ErrorCode::invalid_argument);
  NewDirectory directory(root_ / "out");
  std::filesystem::create_directory(root_ / "out");  // somebody was faster
  EXPECT_THROW(directory.commit(), Error);
}

TEST_F(Directories, AreNotFinishedOnceTheCallerInterrupts) {
  std::atomic<bool> cancelled = false;
  {
    NewDirectory directory(root_ / "out", &cancelled);
    directory.write("file", "content");
    cancelled = true;
    MOA_EXPECT_ERROR(directory.file("another"), cancelled);
    MOA_EXPECT_ERROR(directory.commit(), cancelled);
  }
  EXPECT_EQ(entries(), 0);
}

TEST_F(Directories, NeedAPlaceToBeIn) {
  EXPECT_EQ(code_of(root_ / "absent" / "out"), ErrorCode::io_error);
  EXPECT_EQ(code_of(""), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace moa
