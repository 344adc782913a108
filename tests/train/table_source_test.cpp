#include "train/table_source.hpp"

#include <algorithm>
#include <set>
#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

std::vector<std::uint64_t> order(const PairSource& source, std::uint64_t seed, std::uint64_t epoch,
                                 std::uint64_t skip = 0) {
  const auto stream = source.epoch(seed, epoch);
  stream->skip(skip);
  std::vector<std::uint64_t> groups;
  while (const auto pair = stream->next()) groups.push_back(pair->group);
  return groups;
}

TEST(TableSource, APictureComesOnceAnEpochWithAllItsCaptions) {
  const testing::TemporaryDirectory folder;
  std::string text = "filepath,title\n";
  for (int i = 0; i < 20; ++i) text += std::to_string(i % 10) + ".jpg,caption " + std::to_string(i) + "\n";
  const TableSource source(folder.write("pairs.csv", text), {});
  EXPECT_EQ(source.size(), 10u);
  const RawPair pair = source.pair(3);
  EXPECT_EQ(pair.captions, (std::vector<std::string>{"caption 3", "caption 13"}));
  EXPECT_EQ(pair.path, folder.path() / "3.jpg");
  std::vector<std::uint64_t> all = order(source, 1, 0);
  EXPECT_EQ(all, order(source, 1, 0));
  EXPECT_NE(all, order(source, 1, 1));
  EXPECT_NE(all, order(source, 2, 0));
  EXPECT_EQ(order(source, 1, 0, 4), std::vector(all.begin() + 4, all.end()));
  EXPECT_TRUE(order(source, 1, 0, 40).empty());
  std::ranges::sort(all);
  for (std::uint64_t i = 0; i < 10; ++i) EXPECT_EQ(all[i], i);
}

TEST(TableSource, APictureHasTheNegativesOfAllItsLines) {
  const testing::TemporaryDirectory folder;
  const auto csv = folder.write("a.csv", "image,caption,wrong\n1.jpg,a,x\n1.jpg,b,y\n2.jpg,c,\n");
  const TableSource source(csv, {}, "wrong");
  EXPECT_EQ(source.pair(0).negatives, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(source.pair(0).captions, (std::vector<std::string>{"a", "b"}));
  EXPECT_EQ(source.pair(1).negatives, (std::vector<std::string>{""}));
  EXPECT_TRUE(TableSource(csv, {}).pair(0).negatives.empty());
}

TEST(TableSource, NamesTheColumnsWhereOneOfNegativesIsMissing) {
  const testing::TemporaryDirectory folder;
  try {
    TableSource(folder.write("a.csv", "image,caption\n1.jpg,a\n"), {}, "wrong");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::invalid_argument);
    EXPECT_NE(std::string(error.what()).find("found image, caption; expected wrong"), std::string::npos)
        << error.what();
  }
}

// What the pictures of a table say of themselves: "name: captions", or the line that an error names.
std::set<std::string> pictures(const TableSource& source) {
  std::set<std::string> all;
  for (std::uint64_t i = 0; i < *source.size(); ++i) {
    try {
      const RawPair pair = source.pair(i);
      std::string text = std::filesystem::path(pair.path).filename().string() + ":";
      for (const std::string& caption : pair.captions) text += " " + caption;
      all.insert(text);
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
      const std::string text = error.what();
      const std::size_t line = text.find(", line ");
      all.insert(line == text.npos ? text : text.substr(line + 2, 6));
    }
  }
  return all;
}

TEST(TableSource, ABadLineIsABadPictureThatIsNamed) {
  const testing::TemporaryDirectory folder;
  const auto csv = folder.write("a.csv",
                                "filepath,title\n1.jpg,a\n,no picture\n2.jpg\n\xff.jpg,c\n1.jpg,b\n"
                                "\"open,d\n3.jpg,e\n");
  EXPECT_EQ(pictures(TableSource(csv, {})),
            (std::set<std::string>{"1.jpg: a b", "3.jpg: e", "line 3", "line 4", "line 5", "line 7"}));
  const auto jsonl =
      folder.write("a.jsonl",
                   "{\"filepath\": \"1.jpg\", \"title\": \"a\"}\nno JSON\n"
                   "{\"filepath\": [\"2.jpg\", \"3.jpg\"], \"title\": \"b\"}\n{\"title\": \"c\"}\n"
                   "{\"filepath\": \"1.jpg\", \"title\": [\"d\", \"e\"]}\n");
  EXPECT_EQ(pictures(TableSource(jsonl, {})),
            (std::set<std::string>{"1.jpg: a d e", "line 2", "line 3", "line 4"}));
}

TEST(TableSource, ATableWithoutASoundLineIsRefused) {
  const testing::TemporaryDirectory folder;
  MOA_EXPECT_ERROR(TableSource(folder.write("a.csv", "filepath,title\n,a\n2.jpg\n"), {}), corrupt_data);
  MOA_EXPECT_ERROR(TableSource(folder.write("b.csv", "filepath,title\n"), {}), invalid_argument);
}

TEST(TableSource, SaysWhatIsMissing) {
  const testing::TemporaryDirectory folder;
  MOA_EXPECT_ERROR(TableSource(folder.path() / "none.csv", {}), not_found);
  MOA_EXPECT_ERROR(TableSource(folder.write("a.csv", "x,y\n1,2\n"), {}), invalid_argument);
}

}  // namespace
}  // namespace moa::train
