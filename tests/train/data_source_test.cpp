// What a source's places are taken for.
#include "train/data_source.hpp"

#include <string>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "train/tar_bytes.hpp"

namespace moa::train {
namespace {

class DataSources : public ::testing::Test {
 protected:
  DataSource at(const std::vector<std::string>& names) const {
    DataSource source;
    for (const std::string& name : names) source.places.push_back((folder_.path() / name).string());
    return source;
  }
  // An epoch of shards has no length that is known.
  bool is_of_shards(const std::vector<std::string>& names) const { return !open_pairs(at(names))->size(); }

  testing::TemporaryDirectory folder_;
};

TEST_F(DataSources, ATableIsOneWhateverItsFolderIsCalled) {
  folder_.write("my.target/pairs.csv", "filepath,title\n1.jpg,a\n");
  folder_.write("my.tar/pairs.tarragon.csv", "filepath,title\n1.jpg,a\n");
  EXPECT_FALSE(is_of_shards({"my.target/pairs.csv"}));
  EXPECT_FALSE(is_of_shards({"my.tar/pairs.tarragon.csv"}));
  DataSource texts = at({"my.target/words.csv"});
  texts.kind = DataSource::Kind::texts;
  folder_.write("my.target/words.csv", "first,second\na,b\n");
  EXPECT_EQ(open_pairs(texts)->size(), 1u);
}

TEST_F(DataSources, ShardsAreToldByTheirNames) {
  const std::string shard = testing::tar_member("0.txt", "zero") + testing::tar_end();
  for (const char* name : {"000.tar", "001.tar", "a.tar.gz"}) folder_.write(name, shard);
  EXPECT_TRUE(is_of_shards({"{000..001}.tar"}));
  EXPECT_TRUE(is_of_shards({"000.tar", "a.tar.gz"}));
  folder_.write("pairs.csv", "filepath,title\n1.jpg,a\n");
  MOA_EXPECT_ERROR(open_pairs(at({"000.tar", "pairs.csv"})), invalid_argument);
}

TEST_F(DataSources, AShardThatIsNotThereIsRefused) {
  folder_.write("000.tar", testing::tar_member("0.txt", "zero") + testing::tar_end());
  try {
    open_pairs(at({"{000..003}.tar"}));
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_NE(std::string(error.what()).find("001.tar"), std::string::npos) << error.what();
  }
  MOA_EXPECT_ERROR(open_pairs(at({"000.tar", "none.tar"})), not_found);
}

}  // namespace
}  // namespace moa::train
