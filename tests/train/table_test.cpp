#include "train/table.hpp"

#include <array>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

using Strings = std::vector<std::string>;
constexpr std::array<std::string_view, 2> kNames = {"path", "file"};

Table csv(std::string_view text) {
  return Table::parse(text, TableFormat::delimited, {}, "test");
}
Table json_lines(std::string_view text) {
  return Table::parse(text, TableFormat::json_lines, {}, "test");
}

TEST(Table, ReadsDelimitedRecordsByColumn) {
  const Table table =
      csv("\xEF\xBB\xBF"
          "file,title\r\na.jpg,\"one, two\"\r\n\r\nb.jpg,\r\n");
  EXPECT_EQ(table.columns(), (Strings{"file", "title"}));
  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table.values(0, "title"), (Strings{"one, two"}));
  EXPECT_EQ(table.values(1, "file"), (Strings{"b.jpg"}));
  EXPECT_EQ(table.values(1, "title"), (Strings{""}));
  EXPECT_EQ(table.place(1), "test, line 4");
}

TEST(Table, ReadsJsonLinesWithOneCaptionOrSeveral) {
  const Table table = json_lines(
      "{\"file\": \"a\", \"text\": [\"x\", \"y\"]}\n\n{\"file\": \"b\", \"text\": null, \"label\": 3}");
  ASSERT_EQ(table.size(), 2u);
  EXPECT_EQ(table.values(0, "text"), (Strings{"x", "y"}));
  EXPECT_EQ(table.values(1, "text"), Strings{});
  EXPECT_EQ(table.values(1, "label"), (Strings{"3"}));
  EXPECT_EQ(table.values(0, "label"), Strings{});
  MOA_EXPECT_ERROR(table.values(2, "file"), out_of_range);
}

TEST(Table, FindsTheFirstColumnThatIsThere) {
  EXPECT_EQ(csv("file,path\n").column("pictures", kNames), "path");
  EXPECT_EQ(csv("title,file\n").column("pictures", kNames), "file");
  MOA_EXPECT_ERROR(csv("title\n").column("pictures", kNames), invalid_argument);
}

TEST(Table, RefusesWhatIsNoTable) {
  MOA_EXPECT_ERROR(csv(""), corrupt_data);
  MOA_EXPECT_ERROR(csv("a,b\n1\n"), corrupt_data);
  MOA_EXPECT_ERROR(csv("a,b\n1,2,3\n"), corrupt_data);
  MOA_EXPECT_ERROR(csv("a,b\n1,\xFF\n"), corrupt_data);
  MOA_EXPECT_ERROR(json_lines("[1]\n"), corrupt_data);
  MOA_EXPECT_ERROR(json_lines("{\"a\": 1}\n{\"a\": \n"), corrupt_data);
  MOA_EXPECT_ERROR(json_lines("{\"a\": \"" + std::string(2 << 20, 'x') + "\"}"), limit_exceeded);
  MOA_EXPECT_ERROR(json_lines("{\"a\": {}}").values(0, "a"), corrupt_data);
}

TEST(Table, TheNameDecidesTheFormat) {
  const testing::TemporaryDirectory folder;
  EXPECT_EQ(Table::open(folder.write("a.tsv", "x\ty\n1\t2\n")).values(0, "y"), (Strings{"2"}));
  EXPECT_EQ(Table::open(folder.write("a.csv", "x;y\n1;2\n"), {.separator = ';'}).values(0, "y"),
            (Strings{"2"}));
  EXPECT_EQ(Table::open(folder.write("a.jsonl", "{\"y\": \"2\"}\n")).values(0, "y"), (Strings{"2"}));
  MOA_EXPECT_ERROR(Table::open(folder.write("a.parquet", "PAR1")), invalid_argument);
  MOA_EXPECT_ERROR(Table::open(folder.path() / "none.csv"), not_found);
}

}  // namespace
}  // namespace moa::train
