#include "train/feature_source.hpp"

#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors_writer.hpp"
#include "train/data_source.hpp"

namespace moa::train {
namespace {

class Features : public ::testing::Test {
 protected:
  std::string matrix(const std::string& name, const Shape& shape) const {
    std::vector<float> values(static_cast<std::size_t>(shape.elements()));
    for (std::size_t i = 0; i < values.size(); ++i) values[i] = static_cast<float>(i);
    const std::string path = (folder_.path() / (name + ".safetensors")).string();
    TensorToWrite tensor{name, DType::f32, shape, {}};
    tensor.content = [&](const ByteSink& write) { write(std::as_bytes(std::span(values))); };
    write_safetensors(path, {tensor});
    return path;
  }
  testing::TemporaryDirectory folder_;
};

TEST_F(Features, ARowComesOnceAnEpochWithAllItsCaptions) {
  const std::string table = folder_.write("c.tsv", "row\tcaption\n2\tdog\n0\tcat\n2\thound\n");
  const FeatureSource source(table, {.file = matrix("features", {3, 2})});
  EXPECT_EQ(source.size(), 2U);  // nothing is said of row 1
  const auto stream = source.epoch(1, 0);
  std::map<std::vector<float>, std::vector<std::string>> found;
  while (const auto pair = stream->next()) found[pair->features] = pair->captions;
  const std::map<std::vector<float>, std::vector<std::string>> wanted{{{0, 1}, {"cat"}},
                                                                      {{4, 5}, {"dog", "hound"}}};
  EXPECT_EQ(found, wanted);
}

TEST_F(Features, ARowHasTheNegativesOfAllItsLines) {
  const std::string table = folder_.write("c.tsv", "row\tcaption\twrong\n1\tdog\tcat\n1\thound\tfox\n");
  const std::string features = matrix("features", {3, 2});
  const auto pair_of = [&](const std::string& column) {
    return FeatureSource(table, {.file = features, .negative_column = column}).epoch(1, 0)->next();
  };
  EXPECT_EQ(pair_of("wrong")->negatives, (std::vector<std::string>{"cat", "fox"}));
  EXPECT_TRUE(pair_of("")->negatives.empty());
  MOA_EXPECT_ERROR(pair_of("none"), invalid_argument);
}

TEST_F(Features, ARowThatIsNotThereIsAnError) {
  const std::string features = matrix("features", {3, 2});
  for (const char* row : {"3", "-1", "x", "1.5"}) {
    const std::string table = folder_.write("c.tsv", std::string("row\tcaption\n") + row + "\tdog\n");
    MOA_EXPECT_ERROR(FeatureSource(table, {.file = features}), corrupt_data);
  }
}

TEST_F(Features, AFileWithoutAMatrixOfThatNameIsAnError) {
  const std::string table = folder_.write("c.tsv", "row\tcaption\n0\tdog\n");
  MOA_EXPECT_ERROR(FeatureSource(table, {.file = matrix("others", {3, 2})}), corrupt_data);
  MOA_EXPECT_ERROR(FeatureSource(table, {.file = matrix("features", {6})}), shape_mismatch);
  MOA_EXPECT_ERROR(FeatureSource(table, {.file = folder_.path() / "none.safetensors"}), not_found);
}

TEST_F(Features, BesideAnythingButOneTableAreRefused) {
  const std::string table = folder_.write("c.tsv", "row\tcaption\n0\tdog\n");
  DataSource source{.places = {table}, .features = matrix("features", {3, 2})};
  EXPECT_NE(open_pairs(source), nullptr);
  for (const std::vector<std::string>& places : {std::vector<std::string>{"pairs.tar"},
                                                 {"pairs-{000..003}.tar.gz"},
                                                 {table, table},
                                                 {table, "pairs.tar"}}) {
    source.places = places;
    MOA_EXPECT_ERROR(open_pairs(source), invalid_argument);
  }
}

}  // namespace
}  // namespace moa::train
