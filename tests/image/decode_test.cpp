#include <gtest/gtest.h>

#include <atomic>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <map>
#include <string>
#include <thread>

#include "base/component.hpp"
#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "image/orientation.hpp"
#include "image/picture.hpp"
#include "image/to_rgb.hpp"

namespace moa {
namespace {

using namespace std::string_literals;

const std::filesystem::path kPictures = MOA_TEST_DATA "/image/golden/pictures";
const std::filesystem::path kHostile = MOA_TEST_DATA "/hostile/picture";
constexpr std::uint64_t kMaxBytes = 1 << 20;

Picture decode(const std::string& content, const DecodeOptions& options = {}) {
  return decode_picture(as_bytes(content), options);
}

std::optional<PictureKind> sniff(const std::string& content) {
  return sniff_picture(as_bytes(content));
}

TEST(Decode, GivesPillowsBytes) {
  std::ifstream goldens(MOA_TEST_DATA "/image/golden/pictures.txt");
  std::string file, hash;
  std::int64_t width_px = 0, height_px = 0;
  int pictures = 0;
  while (goldens >> file >> width_px >> height_px >> hash) {
    const Picture picture = decode(read_file(kPictures / file, kMaxBytes));
    EXPECT_EQ(picture.width_px, width_px) << file;
    EXPECT_EQ(picture.height_px, height_px) << file;
    EXPECT_EQ(content_hash(std::as_bytes(std::span(picture.rgb))), hash) << file;
    ++pictures;
  }
  EXPECT_GT(pictures, 150);
}

// HEIC: another way to enlarge the colour planes than the reference's.
TEST(Decode, ComesCloseWhereDecodersDiffer) {
  for (const char* file : {"smooth.heic", "oriented.heic"}) {
    const Picture picture = decode(read_file(kPictures / file, kMaxBytes));
    const std::string expected = read_file(kPictures / (file + ".rgb"s), kMaxBytes);
    std::uint32_t size[2];
    std::memcpy(size, expected.data(), sizeof size);
    ASSERT_EQ(picture.width_px, size[0]) << file;
    ASSERT_EQ(picture.height_px, size[1]) << file;
    double difference = 0;
    for (std::size_t i = 0; i < picture.rgb.size(); ++i) {
      difference += std::abs(picture.rgb[i] - static_cast<int>(static_cast<unsigned char>(expected[8 + i])));
    }
    EXPECT_LT(difference / static_cast<double>(picture.rgb.size()), 1.5) << file;
  }
}

TEST(Decode, RefusesHostileFiles) {
  int files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(kHostile)) {
    const std::string file = entry.path().filename().string();
    const std::string expected = file.substr(0, file.find('-'));
    try {
      decode(read_file(entry.path(), kMaxBytes));
      ADD_FAILURE() << file << " was decoded";
    } catch (const Error& error) {
      EXPECT_EQ(name(error.code()), expected) << file << ": " << error.what();
    }
    ++files;
  }
  EXPECT_GT(files, 25);
}

TEST(Decode, TruncatedFilesAreErrors) {
  for (const char* file : {"rgb.png", "baseline_420.jpg", "progressive_444.jpg", "lossy.webp",
                           "lossless.webp", "palette.gif", "tiff_lzw_rgb.tif", "rgb_8.tif", "smooth.heic",
                           "full_420.avif", "plain_24.bmp", "rle8_jump.bmp", "palette_8bit.bmp", "rgb.pnm"}) {
    const std::string whole = read_file(kPictures / file, kMaxBytes);
    for (int part = 0; part < 16; ++part) {
      const std::string content = whole.substr(0, whole.size() * part / 18);
      try {
        decode(content);
        ADD_FAILURE() << file << " was decoded from " << content.size() << " of " << whole.size() << " bytes";
      } catch (const Error& error) {
        const bool is_known = sniff(content).has_value();
        EXPECT_EQ(name(error.code()), name(is_known ? ErrorCode::corrupt_data : ErrorCode::unsupported))
            << file << ": " << error.what();
      }
    }
  }
}

TEST(Decode, BrokenFilesPrintNothing) {
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
  GTEST_SKIP() << "sanitizers do not let a component stand before libraries that are loaded already";
#endif
  decode(read_file(kPictures / "smooth.heic", kMaxBytes));  // brings dav1d by another way
  const std::string whole = read_file(kPictures / "full_420.avif", kMaxBytes);
  const std::size_t data_at = whole.find("mdat") + 4;
  testing::internal::CaptureStderr();
  for (std::size_t i = 0; i < 24; ++i) {
    std::string broken = whole;
    broken[data_at + i] = static_cast<char>(broken[data_at + i] ^ 0x7f);
    try {
      decode(broken);
    } catch (const Error&) {
    }
  }
  EXPECT_EQ(testing::internal::GetCapturedStderr(), "");
}

// Of those too that the picture could do without.
TEST(Decode, ABrokenChecksumOfAnyPngChunkIsCorrupt) {
  const std::string plain = read_file(MOA_TEST_DATA "/golden/clip/odd_sizes/picture0.png", kMaxBytes);
  constexpr std::size_t kBehindHeader = 8 + 25;  // signature, IHDR
  const std::string sound = "\0\0\0\7tEXtKey\0abc\x9C\xED\x85\x79"s;
  std::string broken = sound;
  broken[12] ^= 1;
  const auto with = [&](const std::string& chunk) { return std::string(plain).insert(kBehindHeader, chunk); };
  EXPECT_EQ(decode(with(sound)).rgb, decode(plain).rgb);
  MOA_EXPECT_ERROR(decode(with(broken)), corrupt_data);
}

// The four bytes that end the compressed pixels, under a chunk's checksum that holds: a gray picture of 1x1.
TEST(Decode, ABrokenChecksumOfAPngsCompressedPixelsIsCorrupt) {
  const auto png = [](const std::string& stream_sum, const std::string& chunk_sum) {
    return "\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\1\0\0\0\1\x08\0\0\0\0\x3a\x7e\x9b\x55"s +
           "\0\0\0\nIDAT\x78\x9c\x63\x68\0\0"s + stream_sum + chunk_sum + "\0\0\0\0IEND\xae\x42\x60\x82"s;
  };
  EXPECT_EQ(decode(png("\x00\x82\x00\x81"s, "\x77\xcd\x72\xb6"s)).rgb, std::vector<std::uint8_t>(3, 0x80));
  MOA_EXPECT_ERROR(decode(png("\x00\x82\x00\x55"s, "\xf6\x73\x64\x7b"s)), corrupt_data);
}

TEST(Decode, HoldsToTheCallersLimit) {
  for (const char* file : {"rgb.png", "gray.jpg", "lossy.webp", "palette.gif", "rgb_8.tif", "smooth.heic",
                           "full_420.avif", "plain_24.bmp", "rle8.bmp", "rgb.pnm", "plain.pbm"}) {
    const std::string content = read_file(kPictures / file, kMaxBytes);
    MOA_EXPECT_ERROR(decode(content, {.max_megapixels = 5e-6}), limit_exceeded);
    MOA_EXPECT_ERROR(decode(content, {.max_megapixels = 0}), limit_exceeded);
  }
}

TEST(Decode, AJpegMayComeOutSmallerDownToTheLeastEdge) {
  const std::string content = read_file(kPictures / "baseline_420.jpg", kMaxBytes);  // 21 x 17
  const auto size = [&](std::int64_t least_edge_px) {
    const Picture picture = decode(content, {.least_edge_px = least_edge_px});
    return std::pair(picture.width_px, picture.height_px);
  };
  EXPECT_EQ(size(0), std::pair(std::int64_t{21}, std::int64_t{17}));
  EXPECT_EQ(size(9), std::pair(std::int64_t{21}, std::int64_t{17}));
  EXPECT_EQ(size(8).first, 10);
  EXPECT_EQ(size(4).first, 5);
  EXPECT_EQ(size(1).first, 2);
  EXPECT_EQ(decode(content, {.least_edge_px = 9}).rgb, decode(content).rgb);
}

TEST(Decode, ASmallerJpegIsHeldToTheLimitByItsWholeSize) {
  const std::string content = read_file(kPictures / "baseline_420.jpg", kMaxBytes);
  MOA_EXPECT_ERROR(decode(content, {.max_megapixels = 350e-6, .least_edge_px = 2}), limit_exceeded);
}

TEST(Decode, OtherKindsKeepTheirSize) {
  for (const char* file : {"rgb.png", "lossy.webp", "full_420.avif", "rgb.pnm"}) {
    const std::string content = read_file(kPictures / file, kMaxBytes);
    EXPECT_EQ(decode(content, {.least_edge_px = 2}).rgb, decode(content).rgb) << file;
  }
}

TEST(Decode, TheContentDecidesAndNotTheEnding) {
  // Every golden is decoded without its name; here one is met by bytes in front of it.
  const std::string content = read_file(kPictures / "rgb.png", kMaxBytes);
  MOA_EXPECT_ERROR(decode(" " + content), unsupported);
}

TEST(Decode, ThreadsGetTheSamePictures) {
  std::map<std::string, std::string> contents;
  std::map<std::string, std::vector<std::uint8_t>> expected;
  for (const char* file : {"rgb.png", "baseline_420.jpg", "alpha.webp", "palette.gif", "rgb_16.tif",
                           "smooth.heic", "deep_10_420.avif"}) {
    contents[file] = read_file(kPictures / file, kMaxBytes);
    expected[file] = decode(contents[file]).rgb;
  }
  std::vector<std::thread> threads;
  std::atomic<int> wrong = 0;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int round = 0; round < 10; ++round) {
        for (const auto& [file, content] : contents) wrong += decode(content).rgb != expected[file] ? 1 : 0;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(wrong, 0);
}

TEST(Sniff, KnowsTheKinds) {
  const std::map<std::string, PictureKind> kinds = {
      {"rgb.png", PictureKind::png},      {"gray.jpg", PictureKind::jpeg},
      {"lossy.webp", PictureKind::webp},  {"palette.gif", PictureKind::gif},
      {"rgb_8.tif", PictureKind::tiff},   {"big.tif", PictureKind::tiff},
      {"smooth.heic", PictureKind::heif}, {"full_420.avif", PictureKind::avif},
      {"plain_24.bmp", PictureKind::bmp}, {"rgb.pnm", PictureKind::ppm},
      {"plain.pbm", PictureKind::ppm},
  };
  for (const auto& [file, kind] : kinds) {
    const std::string content = read_file(kPictures / file, kMaxBytes);
    EXPECT_EQ(sniff(content.substr(0, kSniffBytes)), kind) << file;
  }
}

TEST(Sniff, TakesNothingElseForAPicture) {
  for (const std::string& content : {""s, "B"s, "BM"s, "BMW is a car and not a bitmap"s, "P7\n"s, "P5"s,
                                     "P1 is a number plate"s, "GIF is a format"s, "RIFF\0\0\0\0WAVEfmt "s,
                                     "\0\0\0\x20"
                                     "ftypisom\0\0\2\0isomiso2avc1mp41"s,
                                     "<svg/>"s, "%PDF-1.7"s, "\xff\xd8"s}) {
    EXPECT_EQ(sniff(content), std::nullopt) << content;
  }
}

TEST(Orientation, MalformedExifSaysNothing) {
  const std::string good = "MM\0\x2a\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0"s;
  EXPECT_EQ(exif_orientation(as_bytes(good)), 6);
  EXPECT_EQ(exif_orientation(as_bytes("Exif\0\0"s + good)), 6);
  for (std::size_t size = 0; size < good.size() - 6; ++size) {
    EXPECT_EQ(exif_orientation(as_bytes(good.substr(0, size))), std::nullopt) << size;
  }
  for (const auto& [at, value] :
       std::map<std::size_t, char>{{0, 'X'}, {4, '\x7f'}, {13, '\x09'}, {17, '\0'}, {19, '\x09'}}) {
    std::string bad = good;
    bad[at] = value;
    EXPECT_EQ(exif_orientation(as_bytes(bad)), std::nullopt) << at;
  }
}

TEST(Orientation, XmpIsReadInBothSpellings) {
  EXPECT_EQ(xmp_orientation("<a tiff:Orientation=\"3\"/>"), 3);
  EXPECT_EQ(xmp_orientation("<tiff:Orientation>8</tiff:Orientation>"), 8);
  EXPECT_EQ(xmp_orientation("<tiff:Orientation>9"), std::nullopt);
  EXPECT_EQ(xmp_orientation("tiff:Orientation=\""), std::nullopt);
  EXPECT_EQ(xmp_orientation(""), std::nullopt);
}

TEST(ToRgb, TransparencyIsCompositedAsPillowRounds) {
  EXPECT_EQ(over_white(100, 128), 177);
  EXPECT_EQ(over_white(150, 128), 202);
  EXPECT_EQ(over_white(200, 128), 227);
  for (int value = 0; value < 256; ++value) {
    EXPECT_EQ(over_white(static_cast<std::uint8_t>(value), 255), value);
    EXPECT_EQ(over_white(static_cast<std::uint8_t>(value), 0), 255);
  }
}

TEST(Component, AMissingOneIsUnsupported) {
  MOA_EXPECT_ERROR(Component::open("moa-nothing"), unsupported);
}

TEST(Component, AMissingFunctionIsUnsupported) {
  const Component component = Component::open("moa-pictures");
  MOA_EXPECT_ERROR(component.function<void()>("moa_codec_open_0"), unsupported);
}

}  // namespace
}  // namespace moa
