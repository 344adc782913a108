// Pictures with a class each, to learn from.
#include "train/class_source.hpp"

#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa::train {
namespace {

constexpr std::string_view kPicture = "P6 1 1 255 abc";  // begins like one

class Classes : public ::testing::Test {
 protected:
  Classes() {
    for (const char* file : {"red_car/1.ppm", "red_car/2.ppm", "boat/1.ppm"})
      folder_.write(std::string("set/") + file, kPicture);
  }
  ClassSource open(const ClassOptions& options = {}) const { return {set_, options, {}}; }
  testing::TemporaryDirectory folder_;
  const std::filesystem::path set_ = folder_.path() / "set";
};

TEST_F(Classes, EveryPictureComesOnceAnEpochWithItsClass) {
  const ClassSource source = open();
  EXPECT_EQ(source.class_names(), (std::vector<std::string>{"boat", "red car"}));
  EXPECT_EQ(source.size(), 3u);
  const auto stream = source.epoch(1, 0);
  std::map<std::string, std::size_t> labels;
  std::set<std::uint64_t> groups;
  while (const auto pair = stream->next()) {
    EXPECT_TRUE(pair->captions.empty());
    labels[std::filesystem::path(pair->path).lexically_relative(set_)] = pair->label.value();
    groups.insert(pair->group);
  }
  EXPECT_EQ(labels, (std::map<std::string, std::size_t>{
                        {"boat/1.ppm", 0}, {"red_car/1.ppm", 1}, {"red_car/2.ppm", 1}}));
  EXPECT_EQ(groups.size(), 3u);
}

TEST_F(Classes, ATableMayHoldTheLabels) {
  const auto table = folder_.write("t.csv", "filepath,label\nset/boat/1.ppm,boat\nset/red_car/1.ppm,car\n");
  EXPECT_EQ(ClassSource(table, {}, {}).class_names(), (std::vector<std::string>{"boat", "car"}));
}

TEST_F(Classes, ABadLineOfATableIsABadPictureThatIsNamed) {
  const auto table = folder_.write("t.csv",
                                   "filepath,label\nset/boat/1.ppm,boat\n,car\nset/red_car/1.ppm\n"
                                   "set/red_car/1.ppm,\nset/red_car/2.ppm,car\n\xff.ppm,car\n");
  const ClassSource source(table, {}, {});
  EXPECT_EQ(source.class_names(), (std::vector<std::string>{"boat", "car"}));
  EXPECT_EQ(source.size(), 6u);
  const auto stream = source.epoch(1, 0);
  std::size_t sound = 0;
  std::set<std::string> lines;
  while (true) {
    try {
      if (!stream->next()) break;
      ++sound;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
      const std::string text = error.what();
      lines.insert(text.substr(text.find(", line ") + 2, 6));
    }
  }
  EXPECT_EQ(sound, 2u);
  EXPECT_EQ(lines, (std::set<std::string>{"line 3", "line 4", "line 5", "line 7"}));
  MOA_EXPECT_ERROR(read_labelled_pictures(table), corrupt_data);  // what is judged is refused as before
}

TEST_F(Classes, ATableWithoutASoundLineIsRefused) {
  MOA_EXPECT_ERROR(ClassSource(folder_.write("t.csv", "filepath,label\n,car\nx.ppm\n"), {}, {}),
                   corrupt_data);
}

TEST_F(Classes, OneAloneIsNoChoice) {
  std::filesystem::remove_all(set_ / "boat");
  MOA_EXPECT_ERROR(open(), invalid_argument);
}

TEST_F(Classes, WithoutAPictureAreAMistake) {
  std::filesystem::create_directory(set_ / "plane");
  MOA_EXPECT_ERROR(open(), invalid_argument);
  std::filesystem::remove(set_ / "plane");
  const auto names = folder_.write("names", "boat\ta boat\nred_car\ta car\nplane\ta plane\n");
  MOA_EXPECT_ERROR(open({.names = names}), invalid_argument);
}

TEST_F(Classes, OfOneNameAreAMistake) {
  const auto names = folder_.write("names", "boat\ta thing\nred_car\ta thing\n");
  MOA_EXPECT_ERROR(open({.names = names}), invalid_argument);
}

TEST_F(Classes, AreJudgedByTheirPlacesWhereTheyWereLearned) {
  const LabelledPictures set = read_labelled_pictures(set_);
  const LabelledPictures moved = of_classes(set, {"aeroplane", "red car", "boat"}, set_);
  EXPECT_EQ(moved.classes, (std::vector<std::size_t>{2, 1, 1}));
  EXPECT_EQ(moved.class_names.size(), 3u);
  MOA_EXPECT_ERROR(of_classes(set, {"boat", "car"}, set_), invalid_argument);
}

}  // namespace
}  // namespace moa::train
