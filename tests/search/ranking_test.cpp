// Searching a collection.
#include <sys/stat.h>

#include <array>
#include <cmath>
#include <limits>

#include "search/scene.hpp"

namespace moa::search {
namespace {

using Ranking = CollectionTest;
using Strings = std::vector<std::string>;

TEST_F(Ranking, OrdersEqualScoresByBytesOfThePath) {
  for (const char* name : {"b.jpg", "a.jpg", "a/1.jpg", "a-1.jpg", "B.jpg"}) write(photos_ / name, "picture");
  Opened opened = open();
  update(opened);
  EXPECT_EQ(search(opened, "picture"), (Strings{"B.jpg", "a-1.jpg", "a.jpg", "a/1.jpg", "b.jpg"}));
}

TEST_F(Ranking, GivesTheBestFirstAndNoMoreThanAsked) {
  for (int i = 0; i < 50; ++i) write(photos_ / std::to_string(i), "picture " + std::to_string(i));
  Opened opened = open();
  update(opened);
  SearchOptions options;
  options.top = 50;
  const std::vector<Found> all = opened.search(vector_of("picture 7"), options);
  ASSERT_EQ(all.size(), 50u);
  for (std::size_t i = 1; i < all.size(); ++i) EXPECT_GE(all[i - 1].score, all[i].score);
  options.top = 3;
  const std::vector<Found> best = opened.search(vector_of("picture 7"), options);
  ASSERT_EQ(best.size(), 3u);
  for (std::size_t i = 0; i < best.size(); ++i) EXPECT_EQ(best[i].path, all[i].path);
  options.top = 0;
  EXPECT_TRUE(opened.search(vector_of("picture 7"), options).empty());
}

TEST_F(Ranking, LeavesOutWhatScoresBelowTheLeast) {
  write(photos_ / "a.jpg", "picture a");
  write(photos_ / "b.jpg", "picture b");
  Opened opened = open();
  update(opened);
  SearchOptions options;
  options.min_score = 0.99;
  EXPECT_EQ(search(opened, "picture a", options), (Strings{"a.jpg"}));
  options.min_score = 1.01;
  EXPECT_TRUE(search(opened, "picture a", options).empty());
}

TEST_F(Ranking, ExcludesByGlobsOfNameAndOfPath) {
  for (const char* name : {"a.jpg", "a.png", "thumbs/a.jpg", "far/thumbs/[x].jpg"})
    write(photos_ / name, "picture");
  Opened opened = open();
  update(opened);
  const auto without = [&](const std::string& glob) {
    SearchOptions options;
    options.exclude = {glob};
    return search(opened, "picture", options);
  };
  EXPECT_EQ(without("*.png"), (Strings{"a.jpg", "far/thumbs/[x].jpg", "thumbs/a.jpg"}));
  EXPECT_EQ(without("thumbs/*"), (Strings{"a.jpg", "a.png", "far/thumbs/[x].jpg"}));
  EXPECT_EQ(without("*thumbs/*"), (Strings{"a.jpg", "a.png"}));
  EXPECT_EQ(without("a.jp[gx]"), (Strings{"a.png", "far/thumbs/[x].jpg"}));
  EXPECT_EQ(without("[broken"), search(opened, "picture"));
}

TEST_F(Ranking, ExcludesAFileHoweverItIsSpelt) {
  write(photos_ / "a.jpg", "picture");
  write(photos_ / "b.jpg", "picture");
  std::filesystem::create_symlink(photos_ / "a.jpg", folder_ / "link.jpg");
  Opened opened = open();
  update(opened);
  SearchOptions options;
  options.exclude_files = {folder_ / "link.jpg", folder_ / "not there"};
  EXPECT_EQ(search(opened, "picture", options), (Strings{"b.jpg"}));
  options.exclude_files = {photos_ / "../photos/./b.jpg"};
  EXPECT_EQ(search(opened, "picture", options), (Strings{"a.jpg"}));
}

TEST_F(Ranking, LooksOnlyWithinTheFolderThatIsAsked) {
  for (const char* name : {"a.jpg", "dogs/b.jpg", "dogs-and-cats/c.jpg"}) write(photos_ / name, "picture");
  Opened opened = open();
  update(opened);
  SearchOptions options;
  options.within = photos_ / "../photos/dogs/";
  EXPECT_EQ(search(opened, "picture", options), (Strings{"dogs/b.jpg"}));
  options.within = "/";
  EXPECT_EQ(search(opened, "picture", options).size(), 3u);
}

TEST_F(Ranking, WritesPathsBelowThePlaceAsItIsCalled) {
  write(photos_ / "a.jpg", "picture");
  std::filesystem::create_symlink(photos_, folder_ / "link");
  update();
  const auto path = [&](Opened& opened, const SearchOptions& options = {}) {
    return opened.search(vector_of("picture"), options).at(0).path;
  };
  Opened opened = open();
  EXPECT_EQ(path(opened), (photos_ / "a.jpg").string());
  SearchOptions options;
  options.places = {folder_ / "link/"};
  EXPECT_EQ(path(opened, options), (folder_ / "link/a.jpg").string());
  opened.update(std::vector<std::filesystem::path>{folder_ / "link"}, model_.embedder(), {});
  EXPECT_EQ(path(opened), (folder_ / "link/a.jpg").string());
}

TEST_F(Ranking, WritesAbsolutePathsWhereTheFirstSpellingLeadsElsewhere) {
  write(photos_ / "a.jpg", "picture");
  const std::filesystem::path here = std::filesystem::current_path();
  std::filesystem::current_path(folder_.path());
  Opened opened = open();
  opened.update(std::vector<std::filesystem::path>{"photos"}, model_.embedder(), {});
  const auto path = [&] { return open().search(vector_of("picture"), {}).at(0).path; };
  EXPECT_EQ(path(), "photos/a.jpg");
  std::filesystem::current_path(here);
  EXPECT_EQ(path(), (photos_ / "a.jpg").string());
}

TEST_F(Ranking, RefusesAQueryOfAnotherLength) {
  write(photos_ / "a.jpg", "picture");
  Opened opened = open();
  update(opened);
  EXPECT_EQ(code_of([&] { opened.search(std::vector<float>(kDim + 1), {}); }), ErrorCode::shape_mismatch);
}

TEST_F(Ranking, NeverFindsAVectorThatWasDamagedIntoNoNumber) {
  write(photos_ / "a.jpg", "picture a");
  write(photos_ / "b.jpg", "picture b");
  update();
  std::fstream vectors(file_.string() + ".vectors", std::ios::in | std::ios::out | std::ios::binary);
  const float nan = std::numeric_limits<float>::quiet_NaN();
  vectors.seekp(4096);
  vectors.write(reinterpret_cast<const char*>(&nan), sizeof(nan));
  vectors.close();
  EXPECT_EQ(search(open(), "picture a"), (Strings{"b.jpg"}));
  EXPECT_EQ(Collection::inspect(file_).problems.size(), 1u);
}

TEST(DefaultIndexPath, IsOneForAllSpellingsOfAPlaceAndAnotherForAnotherModel) {
  const TemporaryFolder folder;
  std::filesystem::create_directories(folder / "my photos, 2024");
  std::filesystem::create_symlink(folder / "my photos, 2024", folder / "link");
  ::setenv("XDG_DATA_HOME", (folder / "data").c_str(), 1);
  const std::filesystem::path path = default_index_path(folder / "my photos, 2024", "one");
  EXPECT_EQ(path.parent_path(), folder / "data/moa/indexes");
  EXPECT_TRUE(path.filename().string().starts_with("my-photos-2024-"));
  EXPECT_EQ(default_index_path(folder / "link/.", "one"), path);
  EXPECT_EQ(default_index_path(folder / "my photos, 2024/", "one"), path);
  EXPECT_NE(default_index_path(folder / "my photos, 2024", "two"), path);
  EXPECT_NE(default_index_path(folder.path(), "one"), path);
  EXPECT_NO_THROW(default_index_path("/", "one"));

  ::setenv("XDG_DATA_HOME", "relative", 1);  // does not count
  ::setenv("HOME", folder.path().c_str(), 1);
  EXPECT_EQ(default_index_path("/", "one").parent_path(), folder / ".local/share/moa/indexes");
}

}  // namespace
}  // namespace moa::search
