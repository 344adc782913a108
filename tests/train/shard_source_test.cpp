#include "train/shard_source.hpp"

#include <algorithm>
#include <map>

#include <gtest/gtest.h>

#include "base/component.hpp"
#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "shards/tar_reader.hpp"
#include "train/tar_bytes.hpp"

namespace moa::train {
namespace {

using testing::tar_end;
using testing::tar_member;
using Strings = std::vector<std::string>;

// Shards that lie in memory.
class Shards : public ::testing::Test {
 protected:
  std::vector<RawPair> pairs(const ShardOptions& options, std::uint64_t seed = 0, std::uint64_t skip = 0) {
    const ShardSource source(names(), options, [this](const std::string& path) {
      const std::string_view bytes = shards_.at(path);
      return open_tar(path, &bytes);
    });
    const auto stream = source.epoch(seed, 0);
    stream->skip(skip);
    std::vector<RawPair> all;
    while (true) {
      try {
        std::optional<RawPair> pair = stream->next();
        if (!pair) return all;
        all.push_back(std::move(*pair));
      } catch (const Error& error) {
        errors_.emplace_back(name(error.code()));
      }
    }
  }
  Strings names() const {
    Strings all;
    for (const auto& [name, bytes] : shards_) all.push_back(name);
    return all;
  }

  std::map<std::string, std::string> shards_;
  Strings errors_;
};

TEST_F(Shards, MembersOfOneNameAreAPair) {
  shards_["a.tar"] = tar_member("x/0.1.txt", "with a dot\n") + tar_member("x/0.jpg", "JPEG") +
                     tar_member("x/0.json", "{\"caption\": \"not this\"}") +
                     tar_member("x/folder/", "", '5') + tar_member("x/1.png", "PNG") +
                     tar_member("x/1.json", "{\"n\": 1, \"text\": [\"one\", \"two\"]}") +
                     tar_member("x/2.txt", "alone") + tar_member("x/3.cls", "7") + tar_end();
  const std::vector<RawPair> found = pairs({.shuffle = 1});
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].bytes, "JPEG");
  EXPECT_EQ(found[0].captions, (Strings{"not this"}));  // "1.txt" is no ending that is read
  EXPECT_EQ(found[1].captions, (Strings{"one", "two"}));
  EXPECT_EQ(found[1].name, "a.tar: x/1");
  EXPECT_EQ(found[2].captions, (Strings{"alone"}));
  EXPECT_TRUE(found[2].bytes.empty());
  EXPECT_TRUE(found[3].captions.empty());
}

TEST_F(Shards, EndingsMayStandInCapitals) {
  shards_["a.tar"] = tar_member("0.TXT", "zero") + tar_member("0.PNG", "PNG") +
                     tar_member("1.JSON", "{\"caption\": \"one\"}") + tar_member("1.Jpeg", "JPEG") +
                     tar_end();
  const std::vector<RawPair> found = pairs({.shuffle = 1});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].captions, (Strings{"zero"}));
  EXPECT_EQ(found[0].bytes, "PNG");
  EXPECT_EQ(found[1].captions, (Strings{"one"}));
  EXPECT_EQ(found[1].bytes, "JPEG");
}

TEST_F(Shards, EveryPictureThatCanBeDecodedIsOne) {
  for (const char* ending :
       {"jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "ppm", "pgm"}) {
    shards_["a.tar"] = tar_member(std::string("0.") + ending, "bytes") + tar_end();
    EXPECT_EQ(pairs({.shuffle = 1}).at(0).bytes, "bytes") << ending;
  }
}

TEST_F(Shards, ACaptionsKeyMayBeChosen) {
  shards_["a.tar"] =
      tar_member("0.json", "{\"caption\": \"a\", \"alt\": \"b\"}") + tar_member("0.jpg", "x") + tar_end();
  EXPECT_EQ(pairs({.caption_key = "alt"}).at(0).captions, (Strings{"b"}));
  EXPECT_TRUE(pairs({.caption_key = "none"}).at(0).captions.empty());
}

TEST_F(Shards, NegativesAreAMemberOfTheJson) {
  shards_["a.tar"] = tar_member("0.json", "{\"caption\": \"a\", \"no\": [\"b\", \"c\"]}") +
                     tar_member("1.txt", "d") + tar_member("1.json", "{\"caption\": \"x\", \"no\": \"e\"}") +
                     tar_member("2.txt", "f") + tar_member("3.txt", "g") + tar_member("3.json", "{}") +
                     tar_end();
  const std::vector<RawPair> found = pairs({.negative_key = "no", .shuffle = 1});
  ASSERT_EQ(found.size(), 4u);
  EXPECT_EQ(found[0].captions, (Strings{"a"}));
  EXPECT_EQ(found[0].negatives, (Strings{"b", "c"}));
  EXPECT_EQ(found[1].captions, (Strings{"d"}));
  EXPECT_EQ(found[1].negatives, (Strings{"e"}));
  EXPECT_TRUE(found[2].negatives.empty());
  EXPECT_TRUE(found[3].negatives.empty());
  EXPECT_TRUE(pairs({.shuffle = 1}).at(0).negatives.empty());
}

TEST_F(Shards, ThePairsAreShuffledByTheSeedAndCanBeSkipped) {
  for (const char* shard : {"a", "b", "c"}) {
    for (int i = 0; i < 20; ++i) {
      shards_[shard] += tar_member(shard + std::to_string(i) + ".txt", shard + std::to_string(i));
    }
    shards_[shard] += tar_end();
  }
  const auto captions = [&](const ShardOptions& options, std::uint64_t seed, std::uint64_t skip = 0) {
    Strings all;
    for (const RawPair& pair : pairs(options, seed, skip)) all.push_back(pair.captions.at(0));
    return all;
  };
  Strings all = captions({.shuffle = 8}, 1);
  EXPECT_EQ(all, captions({.shuffle = 8}, 1));
  EXPECT_NE(all, captions({.shuffle = 8}, 2));
  EXPECT_EQ(captions({.shuffle = 8}, 1, 25), Strings(all.begin() + 25, all.end()));
  std::ranges::sort(all);
  Strings in_order = captions({.shuffle = 1}, 1);
  EXPECT_EQ(in_order.at(21), "b1");
  std::ranges::sort(in_order);
  EXPECT_EQ(all, in_order);
}

TEST_F(Shards, ADamagedShardIsToldOnceAndTheOthersGoOn) {
  shards_["a.tar"] = tar_member("0.txt", "zero") + tar_member("1.txt", std::string(2000, 'x')).substr(0, 900);
  shards_["b.tar"] = tar_member("2.txt", "two") + tar_end();
  shards_["c.tar"] = "no archive at all, and not a short text either";
  const std::vector<RawPair> found = pairs({.shuffle = 1});
  ASSERT_EQ(found.size(), 2u);  // "1" was begun, and is lost
  EXPECT_EQ(found[0].captions, (Strings{"zero"}));
  EXPECT_EQ(found[1].captions, (Strings{"two"}));
  EXPECT_EQ(errors_, (Strings{"corrupt_data", "corrupt_data"}));
}

TEST_F(Shards, BrokenJsonIsOnePairsError) {
  shards_["a.tar"] = tar_member("0.json", "{") + tar_member("1.json", "{\"caption\": 3}") +
                     tar_member("2.txt", "fine") + tar_end();
  const std::vector<RawPair> found = pairs({.shuffle = 1});
  ASSERT_EQ(found.size(), 1u);
  EXPECT_EQ(errors_, (Strings{"corrupt_data", "corrupt_data"}));
}

TEST_F(Shards, NumbersOfMembersAndBytesAreBounded) {
  std::string& shard = shards_["a.tar"];
  for (int i = 0; i < 200; ++i) shard += tar_member("0." + std::to_string(i), "");
  shard += tar_end();
  pairs({.shuffle = 1});
  EXPECT_FALSE(errors_.empty());
  errors_.clear();
  std::string huge = tar_member("0.jpg", "");
  huge.replace(124, 11, "77777777777");  // 8 GiB
  unsigned sum = 0;
  huge.replace(148, 8, "        ");
  for (int i = 0; i < 512; ++i) sum += static_cast<unsigned char>(huge[static_cast<std::size_t>(i)]);
  char digits[9];
  std::snprintf(digits, sizeof digits, "%06o", sum);
  huge.replace(148, 7, std::string(digits) + '\0');
  shard = huge;
  pairs({.shuffle = 1});
  EXPECT_EQ(errors_, (Strings{"limit_exceeded"}));
}

TEST(ShardSource, OpensFilesThroughTheComponent) {
  const testing::TemporaryDirectory folder;
  const auto path = folder.write("a.tar", tar_member("0.txt", "zero") + tar_end());
  const auto gone = folder.write("gone.tar", tar_end());
  const ShardSource source({path.string(), gone.string()}, {.shuffle = 1});
  std::filesystem::remove(gone);
  const auto stream = source.epoch(0, 0);
  EXPECT_EQ(stream->next()->captions, (Strings{"zero"}));
  MOA_EXPECT_ERROR(stream->next(), not_found);
  EXPECT_FALSE(stream->next());
  MOA_EXPECT_ERROR(ShardSource({}, {}), invalid_argument);
}

TEST(ShardSource, RefusesAShardThatIsNotThere) {
  const testing::TemporaryDirectory folder;
  const auto path = folder.write("a.tar", tar_member("0.txt", "zero") + tar_end());
  MOA_EXPECT_ERROR(ShardSource({path.string(), (folder.path() / "none.tar").string()}, {}), not_found);
}

TEST(ExpandBraces, GivesTheNamesOfARange) {
  EXPECT_EQ(expand_braces("a/{008..011}.tar"), (Strings{"a/008.tar", "a/009.tar", "a/010.tar", "a/011.tar"}));
  EXPECT_EQ(expand_braces("a.tar"), (Strings{"a.tar"}));
  MOA_EXPECT_ERROR(expand_braces("{1,2}.tar"), invalid_argument);
  MOA_EXPECT_ERROR(expand_braces("{3..1}.tar"), invalid_argument);
  MOA_EXPECT_ERROR(expand_braces("{a..b}.tar"), invalid_argument);
  MOA_EXPECT_ERROR(expand_braces("{0..99999999}.tar"), limit_exceeded);
}

}  // namespace
}  // namespace moa::train
