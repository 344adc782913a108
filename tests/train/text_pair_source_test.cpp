#include "train/text_pair_source.hpp"

#include <set>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

using Strings = std::vector<std::string>;

// What an epoch gives: "first|second", or what an error says.
Strings epoch(const TextPairSource& source, std::uint64_t seed, std::uint64_t number) {
  Strings all;
  const auto stream = source.epoch(seed, number);
  while (true) {
    try {
      const std::optional<RawPair> pair = stream->next();
      if (!pair) return all;
      all.push_back(*pair->text + "|" + pair->captions.front());
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
      all.emplace_back(error.what());
    }
  }
}

class TextPairs : public ::testing::Test {
 protected:
  testing::TemporaryDirectory folder_;
};

TEST_F(TextPairs, ComeOnceAnEpochInAnOrderOfItsOwn) {
  std::string table = "en\tko\n";
  for (int i = 0; i < 50; ++i) table += "e" + std::to_string(i) + "\tk" + std::to_string(i) + "\n";
  const TextPairSource source(folder_.write("w.tsv", table), {.first_column = "ko", .second_column = "en"});
  EXPECT_EQ(source.size(), 50u);
  const Strings first = epoch(source, 1, 0);
  const Strings second = epoch(source, 1, 1);
  EXPECT_NE(first, second);
  EXPECT_EQ(epoch(source, 1, 0), first);
  EXPECT_EQ(std::set(first.begin(), first.end()), std::set(second.begin(), second.end()));
  EXPECT_EQ(std::set(first.begin(), first.end()).size(), 50u);
  EXPECT_EQ(std::set(first.begin(), first.end()).count("k7|e7"), 1u);
}

TEST_F(TextPairs, KnowTheUsualNames) {
  const TextPairSource source(folder_.write("w.jsonl", "{\"question\": \"a\", \"answer\": [\"b\", \"c\"]}\n"),
                              {});
  EXPECT_EQ(source.pair(0).captions, (Strings{"b", "c"}));
  MOA_EXPECT_ERROR(TextPairSource(folder_.write("o.csv", "x,y\n1,2\n"), {}), invalid_argument);
  MOA_EXPECT_ERROR(TextPairSource(folder_.write("o.csv", "first,second\n1,2\n"), {.first_column = "third"}),
                   invalid_argument);
}

TEST_F(TextPairs, MayHaveNegatives) {
  const auto path = folder_.write("w.jsonl",
                                  "{\"anchor\": \"a\", \"positive\": \"b\", \"no\": [\"x\", \"y\"]}\n"
                                  "{\"anchor\": \"c\", \"positive\": \"d\", \"no\": null}\n"
                                  "{\"anchor\": \"e\", \"positive\": \"f\", \"no\": {}}\n"
                                  "{\"anchor\": \"g\", \"positive\": \"h\"}\n");
  const TextPairSource source(path, {.negative_column = "no"});
  EXPECT_EQ(source.pair(0).negatives, (Strings{"x", "y"}));
  EXPECT_TRUE(source.pair(1).negatives.empty());
  MOA_EXPECT_ERROR(source.pair(2), corrupt_data);
  EXPECT_TRUE(source.pair(3).negatives.empty());
  EXPECT_TRUE(TextPairSource(path, {}).pair(0).negatives.empty());
  MOA_EXPECT_ERROR(TextPairSource(path, {.negative_column = "none"}), invalid_argument);
}

TEST_F(TextPairs, ABadLineIsABadPairThatIsNamed) {
  const TextPairSource source(
      folder_.write("w.tsv", "first\tsecond\na\tb\n\tempty\none field\n\n\"open\tc\nd\te\n\xff\tf\n"), {});
  EXPECT_EQ(source.size(), 6u);
  int sound = 0;
  std::set<std::string> lines;
  for (const std::string& pair : epoch(source, 3, 0)) {
    const std::size_t line = pair.find(", line ");
    if (line == pair.npos) {
      ++sound;
    } else {
      lines.insert(pair.substr(line + 7, 1));
    }
  }
  EXPECT_EQ(sound, 2);
  EXPECT_EQ(lines, (std::set<std::string>{"3", "4", "6", "8"}));
}

TEST_F(TextPairs, QuotesMayBeText) {
  const auto path = folder_.write("w.tsv", "first\tsecond\n\"Yes,\" she said\t\"네\"\n\"a\tb\n");
  const TextPairSource source(path, {.reading = {.has_quotes = false}});
  EXPECT_EQ(source.pair(0).text, "\"Yes,\" she said");
  EXPECT_EQ(source.pair(0).captions.front(), "\"네\"");
  EXPECT_EQ(source.pair(1).text, "\"a");
  MOA_EXPECT_ERROR(TextPairSource(path, {}).pair(0), corrupt_data);
}

}  // namespace
}  // namespace moa::train
