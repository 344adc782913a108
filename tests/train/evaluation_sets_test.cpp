// Folders of classes and tables of pairs, as sets to evaluate on.
#include <algorithm>

#include <gtest/gtest.h>

#include <moa/eval.hpp>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa {
namespace {

using Strings = std::vector<std::string>;
using Places = std::vector<std::size_t>;
constexpr std::string_view kPicture = "P6 1 1 255 abc";  // begins like one

class LabelledFolder : public ::testing::Test {
 protected:
  LabelledFolder() {
    folder_.write("set/red_car/1.ppm", kPicture);
    folder_.write("set/red_car/deeper/2.ppm", kPicture);
    folder_.write("set/boat/1.ppm", kPicture);
    folder_.write("set/boat/notes.txt", "no picture");
  }
  LabelledPictures read(const std::string& names) {
    return read_labelled_pictures(set_, folder_.write("names", names));
  }
  testing::TemporaryDirectory folder_;
  const std::filesystem::path set_ = folder_.path() / "set";
};

TEST_F(LabelledFolder, FoldersAreClassesNamedInWords) {
  const LabelledPictures set = read_labelled_pictures(set_);
  EXPECT_EQ(set.class_names, (Strings{"boat", "red car"}));
  EXPECT_EQ(set.classes, (Places{0, 1, 1}));
  EXPECT_EQ(set.pictures[2].value, (set_ / "red_car/deeper/2.ppm").string());
}

TEST_F(LabelledFolder, NamesComeInTheOrderOfTheFoldersOrByTheirNames) {
  EXPECT_EQ(read("a ship\na car\n").class_names, (Strings{"a ship", "a car"}));
  const LabelledPictures named = read("plane\ta plane\r\nred_car\ta car\r\nboat\ta ship\r\n");
  EXPECT_EQ(named.class_names, (Strings{"a plane", "a car", "a ship"}));
  EXPECT_EQ(named.classes, (Places{2, 1, 1}));
  MOA_EXPECT_ERROR(read("one\n"), invalid_argument);
  MOA_EXPECT_ERROR(read(""), invalid_argument);
  MOA_EXPECT_ERROR(read("boat\ta\n"), invalid_argument);
  MOA_EXPECT_ERROR(read("boat\ta\nboat\tb\nred_car\tc\n"), invalid_argument);
  MOA_EXPECT_ERROR(read_labelled_pictures(set_, folder_.path() / "none"), not_found);
}

TEST_F(LabelledFolder, APictureOutsideAnyClassIsAMistake) {
  folder_.write("set/1.ppm", kPicture);
  MOA_EXPECT_ERROR(read_labelled_pictures(set_), invalid_argument);
  MOA_EXPECT_ERROR(read_labelled_pictures(folder_.path() / "none"), not_found);
  folder_.write("empty/class/notes.txt", "");
  MOA_EXPECT_ERROR(read_labelled_pictures(folder_.path() / "empty"), invalid_argument);
}

TEST_F(LabelledFolder, ATableMayHoldTheLabels) {
  const auto table = folder_.write("labels.csv", "filepath,label\nset/boat/1.ppm,10\n/x.ppm,2\n");
  const LabelledPictures set =
      read_labelled_pictures(table, folder_.write("names", "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n"));
  EXPECT_EQ(set.classes, (Places{10, 2}));
  EXPECT_EQ(set.class_names.size(), 12u);
  EXPECT_EQ(set.pictures[0].value, (set_ / "boat/1.ppm").string());
  EXPECT_EQ(set.pictures[1].value, "/x.ppm");
  MOA_EXPECT_ERROR(read_labelled_pictures(table, folder_.write("names", "0\n1\n")), invalid_argument);
}

TEST(SplitByClass, KeepsEveryClassOnBothSidesAndIsDecidedByTheSeed) {
  LabelledPictures set;
  set.class_names = {"a", "b"};
  for (std::size_t i = 0; i < 12; ++i) {
    set.pictures.push_back(Input::text(std::to_string(i)));
    set.classes.push_back(i < 2 ? 0 : 1);
  }
  const auto [first, second] = split_by_class(set, 0.3, 1);
  EXPECT_EQ(std::ranges::count(second.classes, 0u), 1);
  EXPECT_EQ(std::ranges::count(second.classes, 1u), 3);
  EXPECT_EQ(first.pictures.size() + second.pictures.size(), 12u);
  const auto values = [&](std::uint64_t seed) {
    std::string all;
    for (const Input& input : split_by_class(set, 0.3, seed).second.pictures) all += input.value + " ";
    return all;
  };
  EXPECT_EQ(values(1), values(1));
  EXPECT_NE(values(1), values(2));
  set.classes[0] = 1;
  MOA_EXPECT_ERROR(split_by_class(set, 0.3, 1), invalid_argument);
  MOA_EXPECT_ERROR(split_by_class(set, 1.0, 1), invalid_argument);
}

TEST(CaptionedTable, LinesWithOnePathAreOnePicture) {
  const testing::TemporaryDirectory folder;
  const CaptionedPictures set = read_captioned_pictures(
      folder.write("pairs.tsv", "filepath\ttitle\na.jpg\tone\nb.jpg\ttwo\na.jpg\tthree\n"),
      {.root = "/photos"});
  EXPECT_EQ(set.captions, (Strings{"one", "two", "three"}));
  EXPECT_EQ(set.picture_of_caption, (Places{0, 1, 0}));
  ASSERT_EQ(set.pictures.size(), 2u);
  EXPECT_EQ(set.pictures[1].value, "/photos/b.jpg");
}

TEST(CaptionedTable, SaysWhichColumnOrValueIsMissing) {
  const testing::TemporaryDirectory folder;
  const auto table = folder.write("pairs.csv", "a,b\nx.jpg,one\n,two\n");
  MOA_EXPECT_ERROR(read_captioned_pictures(table), invalid_argument);
  const TableOptions columns{.columns = {.image = "a", .caption = "b"}};
  MOA_EXPECT_ERROR(read_captioned_pictures(table, columns), corrupt_data);
  MOA_EXPECT_ERROR(read_captioned_pictures(folder.write("none.csv", "a,b\n"), columns), invalid_argument);
}

}  // namespace
}  // namespace moa
