// Models of SentencePiece made to mislead: each is refused with its code, or harmless.
#include <cstring>
#include <limits>
#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "text/golden_files.hpp"
#include "text/sentencepiece_model.hpp"
#include "text/tokenizer.hpp"

namespace moa {
namespace {

std::string varint(std::uint64_t value) {
  std::string bytes;
  for (; value >= 0x80; value >>= 7) bytes.push_back(static_cast<char>(value | 0x80));
  bytes.push_back(static_cast<char>(value));
  return bytes;
}
std::string number_field(std::uint64_t number, std::uint64_t value) {
  return varint(number << 3) + varint(value);
}
std::string bytes_field(std::uint64_t number, const std::string& content) {
  return varint(number << 3 | 2) + varint(content.size()) + content;
}
std::string piece(const std::string& text, int type = 1, float score = -1) {
  std::string bytes(4, '\0');
  std::memcpy(bytes.data(), &score, 4);
  return bytes_field(1, bytes_field(1, text) + varint(2 << 3 | 5) + bytes +
                            number_field(3, static_cast<std::uint64_t>(type)));
}
std::string with(const std::string& more) {
  return piece("<unk>", 2, 0) + piece("▁") + piece("a") + more;
}

SentencePieceFile parse(const std::string& bytes) {
  return SentencePieceFile::parse(bytes, "test");
}
std::vector<std::int32_t> ids_of(const std::string& bytes, const std::string& text) {
  std::vector<std::int32_t> ids;
  make_sentencepiece(parse(bytes), {})->tokenize(text, ids);
  return ids;
}

TEST(SentencePieceFile, ReadsWhatTheTestsBuild) {
  EXPECT_EQ(ids_of(with(""), "a a"), (std::vector<std::int32_t>{1, 2, 1, 2}));
  EXPECT_EQ(ids_of(with(""), "axa"), (std::vector<std::int32_t>{1, 2, 0, 2}));
  EXPECT_EQ(ids_of(with(number_field(99, 7) + bytes_field(98, "later versions")), "a").size(), 2u);
}

TEST(SentencePieceFile, RejectsDamagedMessages) {
  for (const std::string& bytes :
       {std::string(), std::string("\x0A"),
        std::string("\x0A\x05"
                    "ab"),
        std::string("\x0A\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"), std::string(11, '\xFF'),
        std::string("\x0B"), std::string("\x0C"), std::string("\x0F"), std::string("\x00\x01", 2),
        with("\x09"
             "1234"),
        with("\x0D"
             "12"),
        with(bytes_field(2, "\x18")), with(bytes_field(3, "\x12\x10"))}) {
    MOA_EXPECT_ERROR(parse(bytes), corrupt_data);
  }
}

TEST(SentencePieceFile, RejectsEveryTruncationThatBreaksIt) {
  const std::string whole = read_golden_file("spm_bpe.model");
  for (std::size_t length = 0; length < whole.size(); length += 37) {
    try {
      parse(whole.substr(0, length));  // pieces alone are a model too
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
    }
  }
}

TEST(SentencePieceFile, RejectsPiecesThatCannotBe) {
  MOA_EXPECT_ERROR(parse(with(piece("a"))), corrupt_data);
  MOA_EXPECT_ERROR(parse(with(piece(""))), corrupt_data);
  MOA_EXPECT_ERROR(parse(with(piece("\xFF"))), corrupt_data);
  MOA_EXPECT_ERROR(parse(with(piece("b", 7))), corrupt_data);
  MOA_EXPECT_ERROR(parse(with(piece("b", 2))), corrupt_data);
  MOA_EXPECT_ERROR(parse(piece("a")), corrupt_data);
  MOA_EXPECT_ERROR(parse(with(piece("b", 1, std::numeric_limits<float>::quiet_NaN()))), corrupt_data);
  MOA_EXPECT_ERROR(parse(with(piece("b", 1, std::numeric_limits<float>::infinity()))), corrupt_data);
  MOA_EXPECT_ERROR(parse(with(piece(std::string(1025, 'b')))), limit_exceeded);
}

TEST(SentencePieceFile, RefusesModelsOfWordsAndCharacters) {
  MOA_EXPECT_ERROR(parse(with(bytes_field(2, number_field(3, 3)))), unsupported);
  MOA_EXPECT_ERROR(parse(with(bytes_field(2, number_field(3, 4)))), unsupported);
}

TEST(SentencePieceModel, RejectsADamagedMap) {
  for (const std::string& map : {std::string("abc"), std::string("\x08\0\0\0....", 8),
                                 std::string("\x05\0\0\0.....", 9), std::string("\x04\0\0\0....\xFF", 9)}) {
    MOA_EXPECT_ERROR(ids_of(with(bytes_field(3, bytes_field(2, map))), "a"), corrupt_data);
  }
}

TEST(SentencePieceModel, SurvivesAModelWithoutAnyOrdinaryPiece) {
  EXPECT_EQ(ids_of(piece("<unk>", 2), "any text"), std::vector<std::int32_t>{0});
  EXPECT_EQ(ids_of(piece("<unk>", 2) + piece("x", 4), "yxy").size(), 3u);
  const std::string bpe = bytes_field(2, number_field(3, 2));
  EXPECT_EQ(ids_of(piece("<unk>", 2) + bpe, "any text"), std::vector<std::int32_t>{0});
}

TEST(SentencePieceModel, FallsBackToTheUnknownPieceWhereAByteIsMissing) {
  const std::string fallback = bytes_field(2, number_field(35, 1));
  EXPECT_EQ(ids_of(with(piece("<0xC3>", 6) + fallback), "aé"), (std::vector<std::int32_t>{1, 2, 3, 0}));
}

TEST(SentencePieceModel, TakesUnusedPiecesApartWithoutEnd) {
  std::string bytes = piece("<unk>", 2) + piece("▁") + piece("a") + bytes_field(2, number_field(3, 2));
  for (int length = 2; length <= 512; length *= 2)
    bytes += piece(std::string(static_cast<std::size_t>(length), 'a'), 5, -2);
  EXPECT_EQ(ids_of(bytes, std::string(1000, 'a')).size(), 1001u);
}

TEST(Tokenizer, RefusesASentencePieceModelOfAClassThatItDoesNotKnow) {
  TokenizerFiles files;
  files.spiece_model = with("");
  MOA_EXPECT_ERROR(Tokenizer::load(files), unsupported);
  files.tokenizer_config_json = R"({"tokenizer_class": "XLNetTokenizer"})";
  MOA_EXPECT_ERROR(Tokenizer::load(files), unsupported);
  files.tokenizer_config_json = R"({"tokenizer_class": "T5Tokenizer"})";
  MOA_EXPECT_ERROR(Tokenizer::load(files), corrupt_data);  // it has no end
  files.spiece_model = with(bytes_field(2, number_field(3, 2)));
  MOA_EXPECT_ERROR(Tokenizer::load(files), unsupported);  // and is of another type
}

}  // namespace
}  // namespace moa
