#include <gtest/gtest.h>

#include <array>
#include <cstdlib>
#include <limits>

#include "cli/help.hpp"
#include "cli/json_text.hpp"
#include "cli/npy.hpp"
#include "cli/search_results.hpp"

namespace moa::cli {
namespace {

std::string json_of(float number) {
  std::string text;
  append_json(text, number);
  return text;
}

TEST(JsonText, StringsAreEscapedAndWellFormed) {
  EXPECT_EQ(json("a\"\\\n\x01강"), "\"a\\\"\\\\\\n\\u0001강\"");
  EXPECT_EQ(json("caf\xe9"), "\"caf\uFFFD\"");
}

TEST(JsonText, FloatsAreTheShortestThatReadBack) {
  EXPECT_EQ(json_of(0.1F), "0.1");
  EXPECT_EQ(json_of(1.0F), "1");
  EXPECT_EQ(json_of(-0.0F), "-0");
  EXPECT_EQ(std::strtof(json_of(std::numeric_limits<float>::denorm_min()).c_str(), nullptr),
            std::numeric_limits<float>::denorm_min());
  EXPECT_EQ(json_of(std::numeric_limits<float>::quiet_NaN()), "null");
  EXPECT_EQ(json_of(std::numeric_limits<float>::infinity()), "null");
}

TEST(JsonText, APathThatIsNotUtf8KeepsItsBytes) {
  EXPECT_EQ(json_path("path", "a.png"), "\"path\":\"a.png\"");
  EXPECT_EQ(json_path("path", "\xff"), "\"path\":\"\uFFFD\",\"path_base64\":\"/w==\"");
}

TEST(JsonText, Base64IsPadded) {
  EXPECT_EQ(base64(""), "");
  EXPECT_EQ(base64("f"), "Zg==");
  EXPECT_EQ(base64("fo"), "Zm8=");
  EXPECT_EQ(base64("foobar"), "Zm9vYmFy");
}

TEST(Npy, TheHeaderEndsAtAMultipleOfSixtyFour) {
  for (const std::int64_t rows : {0, 1, 12345678}) {
    const std::string header = npy_header(rows, 512);
    EXPECT_EQ(header.size() % 64, 0U);
    EXPECT_EQ(header.back(), '\n');
    EXPECT_NE(header.find("'shape': (" + std::to_string(rows) + ", 512)"), header.npos);
  }
}

TEST(Npy, RowsAreLittleEndian) {
  EXPECT_EQ(npy_row(std::array{1.0F, -2.0F}), std::string("\x00\x00\x80\x3f\x00\x00\x00\xc0", 8));
}

TEST(SearchText, PathsAreWrittenAsTheyAre) {
  const SearchResult result{"q", {{"a\nb", 0.5F}, {"\xff", 0.25F}}};
  EXPECT_EQ(as_paths(result, '\0'), std::string("a\nb\0\xff\0", 6));
  EXPECT_EQ(as_jsonl({"q", {{"a", 0.5F}}}), "{\"query\":\"q\",\"rank\":1,\"path\":\"a\",\"score\":0.5}\n");
}

TEST(SearchText, JsonNamesAPrecisionThatIsNotF32) {
  EXPECT_EQ(as_jsonl({.query = "q", .found = {{"a", 0.5F}}, .dtype = "int8"}),
            "{\"query\":\"q\",\"rank\":1,\"path\":\"a\",\"score\":0.5,\"dtype\":\"int8\"}\n");
}

TEST(SearchText, AQueryThatFailedHasItsErrorInItsPlace) {
  const SearchResult failed{.query = "gone.jpg", .error = Error(ErrorCode::not_found, "there is none")};
  EXPECT_EQ(as_jsonl(failed),
            "{\"query\":\"gone.jpg\",\"error\":{\"code\":\"not_found\",\"message\":\"there is none\"}}\n");
  EXPECT_EQ(as_table(failed, Paint{}, 80), "");
  EXPECT_EQ(as_paths(failed, '\n'), "");
}

TEST(SearchText, TablesStayInsideTheTerminal) {
  const SearchResult result{"질문", {{"사진/아주/긴/이름을/가진/그림/파일/하나.jpg", 0.123F}}};
  const std::string table = as_table(result, Paint{}, 40);
  for (std::size_t begin = 0; begin < table.size();) {
    const std::size_t end = table.find('\n', begin);
    EXPECT_LE(display_width(table.substr(begin, end - begin)), 40U);
    begin = end + 1;
  }
}

TEST(Help, LinesAreWrappedAndParagraphsKept) {
  EXPECT_EQ(wrapped("aa bb cc\n\ndd\n", 2, 8), "  aa bb\n  cc\n\n  dd\n");
}

}  // namespace
}  // namespace moa::cli
