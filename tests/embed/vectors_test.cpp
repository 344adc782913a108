#include <moa/vectors.hpp>

#include <array>
#include <cmath>

#include <gtest/gtest.h>

#include "base/file.hpp"
#include "embed/media_kind.hpp"

namespace moa {
namespace {

Vectors axes() {
  Vectors vectors(2);
  vectors.append(std::array{1.0F, 0.0F});
  vectors.append(Error(ErrorCode::corrupt_data, "broken"));
  vectors.append(std::array{0.0F, 1.0F});
  vectors.append(std::array{1.0F, 0.0F});
  return vectors;
}

TEST(Vectors, AFailedRowIsNaNAndKeepsItsError) {
  const Vectors vectors = axes();
  EXPECT_EQ(vectors.size(), 4U);
  EXPECT_EQ(vectors.failures(), 1U);
  EXPECT_TRUE(std::isnan(vectors.row(1)[0]));
  EXPECT_EQ(vectors.error(1)->code(), ErrorCode::corrupt_data);
  EXPECT_EQ(vectors.error(0), nullptr);
  EXPECT_THROW(vectors.row(4), Error);
}

TEST(Vectors, ARowOfAnotherLengthIsRefused) {
  Vectors vectors(2);
  EXPECT_THROW(vectors.append(std::array{1.0F}), Error);
}

TEST(Vectors, HaveAtLeastOneDimensionToTakeARow) {
  EXPECT_THROW(Vectors(-1), Error);
  EXPECT_THROW(Vectors(0), Error);
  Vectors none;
  EXPECT_EQ(none.size(), 0U);
  EXPECT_THROW(none.append(std::array<float, 0>{}), Error);
  EXPECT_THROW(none.append(Error(ErrorCode::corrupt_data, "broken")), Error);
}

TEST(Top, OrdersByScoreThenByIndexAndLeavesOutFailures) {
  const auto hits = top(axes(), std::array{1.0F, 0.5F}, 10);
  ASSERT_EQ(hits.size(), 3U);
  EXPECT_EQ(hits[0].index, 0U);
  EXPECT_EQ(hits[1].index, 3U);
  EXPECT_EQ(hits[2].index, 2U);
  EXPECT_FLOAT_EQ(hits[2].score, 0.5F);
  EXPECT_EQ(top(axes(), std::array{1.0F, 0.5F}, 1).size(), 1U);
  EXPECT_TRUE(top(Vectors(2), std::array{1.0F, 0.5F}, 3).empty());
  EXPECT_THROW(top(axes(), std::array{1.0F}, 3), Error);
}

TEST(Top, AScoreThatIsNoNumberIsNeverAHit) {
  Vectors vectors(1);
  for (const float value : {0.9F, std::nanf(""), 0.8F}) vectors.append(std::array{value});
  const auto hits = top(vectors, std::array{1.0F}, 3);
  ASSERT_EQ(hits.size(), 2U);
  EXPECT_EQ(hits[0].index, 0U);
  EXPECT_EQ(hits[1].index, 2U);
  EXPECT_TRUE(top(vectors, std::array{std::nanf("")}, 3).empty());
}

TEST(MediaKind, IsDecidedByContent) {
  using namespace std::string_view_literals;
  const auto kind = [](std::string_view bytes) { return sniff_media(as_bytes(bytes)); };
  EXPECT_EQ(kind("\xFF\xD8\xFF\xE0\0\x10JFIF"sv), MediaKind::picture);
  EXPECT_EQ(kind("\x89PNG\r\n\x1A\n\0\0\0\rIHDR"sv), MediaKind::picture);
  EXPECT_EQ(kind("RIFF\0\0\0\0WAVEfmt "sv), MediaKind::audio);
  EXPECT_EQ(kind("fLaC\0\0\0\x22"sv), MediaKind::audio);
  EXPECT_EQ(kind("\0\0\0\x18"
                 "ftypisom\0\0\2\0"sv),
            MediaKind::video);
  EXPECT_EQ(kind("\x1A\x45\xDF\xA3\x9F\x42"sv), MediaKind::video);
  EXPECT_EQ(kind("{\"a\": 1}\n"sv), MediaKind::text);
  EXPECT_EQ(kind("안녕하세\xEC"sv), MediaKind::text);  // the last character is cut
  EXPECT_EQ(kind("\x7F"
                 "ELF\2\1\1\0"sv),
            MediaKind::unknown);
  EXPECT_EQ(kind(""sv), MediaKind::unknown);
  EXPECT_EQ(kind("<svg xmlns=\"http://www.w3.org/2000/svg\"/>"sv), MediaKind::text);
}

}  // namespace
}  // namespace moa
