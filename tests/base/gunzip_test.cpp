#include "base/gunzip.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

// What gzip makes of "moa moa moa moa\n".
const std::string kPacked(
    "\x1F\x8B\x08\x00\x00\x00\x00\x00\x02\x03\xCB\xCD\x4F\x54\xC8\x45\x60\x2E\x00\x0C\xAF\x22"
    "\x83\x10\x00\x00\x00",
    27);

TEST(Gunzip, GivesTheContent) {
  EXPECT_EQ(gunzip(kPacked, 100, "test"), "moa moa moa moa\n");
  EXPECT_EQ(gunzip(kPacked, 16, "test").size(), 16u);
}

TEST(Gunzip, RejectsWhatIsNotWholeGzip) {
  for (std::size_t length = 0; length < kPacked.size(); ++length) {
    MOA_EXPECT_ERROR(gunzip(kPacked.substr(0, length), 100, "test"), corrupt_data);
  }
  std::string damaged = kPacked;
  damaged[damaged.size() - 5] ^= 1;  // of the checksum
  MOA_EXPECT_ERROR(gunzip(damaged, 100, "test"), corrupt_data);
  MOA_EXPECT_ERROR(gunzip("plain text", 100, "test"), corrupt_data);
}

TEST(Gunzip, LimitsWhatItUnpacks) {
  MOA_EXPECT_ERROR(gunzip(kPacked, 15, "test"), limit_exceeded);
}

}  // namespace
}  // namespace moa
