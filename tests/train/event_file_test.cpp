#include "train/event_file.hpp"

#include <array>
#include <cstring>
#include <fstream>
#include <sstream>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

namespace fs = std::filesystem;

TEST(Crc32c, IsCastagnolis) {
  EXPECT_EQ(crc32c("123456789"), 0xE3069283U);            // the catalogue's check value
  EXPECT_EQ(crc32c(std::string(32, '\0')), 0x8A9136AAU);  // RFC 3720, B.4
  EXPECT_EQ(crc32c(""), 0U);
}

std::string only_file(const fs::path& folder) {
  std::ostringstream content;
  for (const auto& entry : fs::directory_iterator(folder))
    content << std::ifstream(entry.path(), std::ios::binary).rdbuf();
  return content.str();
}

// The records of a file: their lengths are followed, their guards are left alone.
std::vector<std::string> records(const std::string& file) {
  std::vector<std::string> all;
  for (std::size_t at = 0; at < file.size();) {
    std::uint64_t length = 0;
    std::memcpy(&length, file.data() + at, sizeof length);
    all.push_back(file.substr(at + 12, length));
    at += 16 + length;
    EXPECT_LE(at, file.size());
  }
  return all;
}

// Without the wall time in front, which takes nine bytes.
std::string timeless(const std::string& event) {
  EXPECT_EQ(event.front(), '\x09');
  return event.substr(9);
}

TEST(EventFile, HoldsTensorBoardsMessages) {
  const testing::TemporaryDirectory folder;
  EventFile file(folder.path(), 0);
  file.add(300, std::array<Scalar, 2>{Scalar{"a", 1.0}, Scalar{"bc", -2.5}});
  const std::vector<std::string> all = records(only_file(folder.path()));
  ASSERT_EQ(all.size(), 2u);
  using namespace std::string_literals;
  EXPECT_EQ(timeless(all[0]), "\x1a\x0d"s + "brain.Event:2");
  EXPECT_EQ(timeless(all[1]), "\x10\xAC\x02\x2A\x15\x0A\x08\x0A\x01"s + "a\x15\0\0\x80\x3F"s +
                                  "\x0A\x09\x0A\x02"s + "bc\x15\0\0\x20\xC0"s);
}

TEST(EventFile, GuardsLengthAndContentByMaskedSums) {
  const testing::TemporaryDirectory folder;
  EventFile(folder.path(), 0);
  const std::string file = only_file(folder.path());
  // Of the length 24, as TensorFlow's own writer has it in every file that it begins with this event.
  ASSERT_EQ(file.size(), 40u);
  EXPECT_EQ(file.substr(0, 12), std::string("\x18\0\0\0\0\0\0\0\xA3\x7F\x4B\x22", 12));
  std::uint32_t stored = 0;
  std::memcpy(&stored, file.data() + 36, sizeof stored);
  const std::uint32_t rotated = stored - 0xA282EAD8U;
  EXPECT_EQ((rotated << 15) | (rotated >> 17), crc32c(file.substr(12, 24)));
}

TEST(EventFile, ATrainingThatGoesOnVoidsWhatCameAfter) {
  const testing::TemporaryDirectory folder;
  EventFile(folder.path(), 7);
  const std::vector<std::string> all = records(only_file(folder.path()));
  ASSERT_EQ(all.size(), 2u);
  EXPECT_EQ(timeless(all[1]), "\x10\x08\x3A\x02\x08\x01");  // step 8, SessionLog START
}

TEST(EventFile, FilesOfOneSecondHaveNamesOfTheirOwn) {
  const testing::TemporaryDirectory folder;
  EventFile(folder.path(), 0);
  EventFile(folder.path(), 0);
  const auto files = std::distance(fs::directory_iterator(folder.path()), fs::directory_iterator());
  EXPECT_EQ(files, 2);
}

TEST(EventFile, AFolderThatIsNotThereIsAnError) {
  MOA_EXPECT_ERROR(EventFile("/nonexistent/folder", 0), io_error);
}

}  // namespace
}  // namespace moa::train
