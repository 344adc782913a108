// Keeping a collection up to date: what is embedded, what is not, and what is forgotten.
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>

#include <moa/collection.hpp>

#include "search/scene.hpp"

namespace moa::search {
namespace {

using Update = CollectionTest;
using Strings = std::vector<std::string>;

TEST_F(Update, EmbedsWhatIsNewAndFindsItByItsVector) {
  write(photos_ / "dog.jpg", "picture of a dog");
  write(photos_ / "far/away/cat.jpg", "picture of a cat");
  Opened opened = open();
  const UpdateReport report = update(opened);
  EXPECT_EQ(report.added, 2u);
  EXPECT_EQ(opened.size(), 2u);
  const std::vector<Found> found = opened.search(vector_of("picture of a cat"), {});
  ASSERT_EQ(found.size(), 2u);
  EXPECT_EQ(found[0].path, (photos_ / "far/away/cat.jpg").string());
  EXPECT_NEAR(found[0].score, 1, 1e-6);
  EXPECT_EQ(search(open(Collection::Mode::open_existing), "picture of a dog").front(), "dog.jpg");
}

TEST_F(Update, LeavesNothingButTheTwoFiles) {
  write(photos_ / "dog.jpg", "picture of a dog");
  update();
  Strings names;
  for (const auto& entry : std::filesystem::directory_iterator(file_.parent_path())) {
    names.push_back(entry.path().filename().string());
  }
  std::ranges::sort(names);
  EXPECT_EQ(names, (Strings{"photos.sqlite", "photos.sqlite.vectors"}));
}

TEST_F(Update, EmbedsOnlyWhatHasChanged) {
  write(photos_ / "a.jpg", "picture a");
  write(photos_ / "b.jpg", "picture b");
  update();
  write(photos_ / "b.jpg", "picture b, painted over");
  write(photos_ / "c.jpg", "picture c");
  model_ = {};
  Opened opened = open();
  const UpdateReport report = update(opened);
  EXPECT_EQ(report.added, 2u);
  EXPECT_EQ(report.unchanged, 1u);
  EXPECT_EQ(model_.paths, (Strings{photos_ / "b.jpg", photos_ / "c.jpg"}));
  EXPECT_EQ(search(opened, "picture b, painted over").front(), "b.jpg");
}

TEST_F(Update, DoesNotEmbedATouchedFileAgain) {
  write(photos_ / "a.jpg", "picture a");
  update();
  std::filesystem::last_write_time(photos_ / "a.jpg", std::filesystem::file_time_type::clock::now());
  const UpdateReport report = update();
  EXPECT_EQ(report.unchanged, 1u);
  EXPECT_EQ(report.added, 0u);
  EXPECT_EQ(model_.embedded, 1u);
}

TEST_F(Update, SeesAChangeThatKeepsSizeAndModificationTime) {
  write(photos_ / "a.jpg", "picture 1");
  update();
  const auto time = std::filesystem::last_write_time(photos_ / "a.jpg");
  write(photos_ / "a.jpg", "picture 2");
  std::filesystem::last_write_time(photos_ / "a.jpg", time);
  EXPECT_EQ(update().added, 1u);
}

TEST_F(Update, GivesAMovedFileTheVectorThatItHad) {
  write(photos_ / "old.jpg", "picture");
  update();
  std::filesystem::create_directories(photos_ / "new");
  std::filesystem::rename(photos_ / "old.jpg", photos_ / "new/name.jpg");
  Opened opened = open();
  const UpdateReport report = update(opened);
  EXPECT_EQ(report.added, 1u);
  EXPECT_EQ(report.reused, 1u);
  EXPECT_EQ(report.removed, 1u);
  EXPECT_EQ(model_.embedded, 1u);
  EXPECT_EQ(search(opened, "picture"), (Strings{"new/name.jpg"}));
}

TEST_F(Update, EmbedsCopiesOnce) {
  for (const char* name : {"a.jpg", "b.jpg", "c.jpg"}) write(photos_ / name, "picture");
  Opened opened = open();
  EXPECT_EQ(update(opened).added, 3u);
  EXPECT_EQ(model_.embedded, 1u);
  EXPECT_EQ(search(opened, "picture"), (Strings{"a.jpg", "b.jpg", "c.jpg"}));
  EXPECT_EQ(Collection::inspect(file_).rows, 1u);
}

TEST_F(Update, ForgetsDeletedFiles) {
  write(photos_ / "a.jpg", "picture a");
  write(photos_ / "b.jpg", "picture b");
  update();
  std::filesystem::remove(photos_ / "a.jpg");
  Opened opened = open();
  EXPECT_EQ(update(opened).removed, 1u);
  EXPECT_EQ(search(opened, "picture a"), (Strings{"b.jpg"}));
}

TEST_F(Update, KeepsAFailedFileWithItsErrorUntilItChanges) {
  write(photos_ / "a.jpg", "broken");
  write(photos_ / "b.jpg", "picture");
  UpdateReport report = update();
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(report.failed_now, 1u);
  const std::vector<FailedFile> errors = Collection::errors(file_);
  ASSERT_EQ(errors.size(), 1u);
  EXPECT_EQ(errors[0].path, (photos_ / "a.jpg").string());
  EXPECT_EQ(errors[0].code, "corrupt_data");

  report = update();
  EXPECT_EQ(report.failed, 1u);
  EXPECT_EQ(report.failed_now, 0u);
  EXPECT_EQ(model_.embedded, 2u);

  write(photos_ / "a.jpg", "picture, mended");
  EXPECT_EQ(update().added, 1u);
  EXPECT_TRUE(Collection::errors(file_).empty());
}

TEST_F(Update, SkipsFilesOfOtherKindsWithoutTheModel) {
  write(photos_ / "notes.txt", "words");
  write(photos_ / "empty", "");
  const UpdateReport report = update();
  EXPECT_EQ(report.skipped, 2u);
  EXPECT_EQ(report.failed, 0u);
  EXPECT_EQ(model_.embedded, 0u);
}

TEST_F(Update, AsksTheModelAboutAFileThatWasNamedWhateverItHolds) {
  write(photos_ / "notes.txt", "broken words");
  Opened opened = open();
  const std::vector<std::filesystem::path> places = {photos_ / "notes.txt"};
  EXPECT_EQ(opened.update(places, model_.embedder(), {}).failed, 1u);
}

TEST_F(Update, MakesAnIndexOfAnEmptyFolder) {
  Opened opened = open();
  EXPECT_EQ(update(opened).added, 0u);
  EXPECT_TRUE(Collection::is_collection(file_));
  EXPECT_TRUE(opened.search(vector_of("anything"), {}).empty());
  EXPECT_EQ(Collection::inspect(file_).items, 0u);
}

TEST_F(Update, HoldsExactlyThePlacesThatItWasGivenLast) {
  write(folder_ / "a/1.jpg", "picture 1");
  write(folder_ / "b/2.jpg", "picture 2");
  write(folder_ / "c/3.jpg", "picture 3");
  Opened opened = open();
  opened.update(std::vector<std::filesystem::path>{folder_ / "a", folder_ / "b"}, model_.embedder(), {});
  EXPECT_EQ(opened.size(), 2u);
  const UpdateReport report =
      opened.update(std::vector<std::filesystem::path>{folder_ / "b", folder_ / "c"}, model_.embedder(), {});
  EXPECT_EQ(report.removed, 1u);
  EXPECT_EQ(report.added, 1u);
  EXPECT_EQ(opened.size(), 2u);
  EXPECT_EQ(model_.embedded, 3u);
}

TEST_F(Update, CountsAFileInOverlappingPlacesOnce) {
  write(photos_ / "dogs/1.jpg", "picture 1");
  Opened opened = open();
  const std::vector<std::filesystem::path> places = {photos_, photos_ / "dogs", photos_ / "dogs/1.jpg"};
  EXPECT_EQ(opened.update(places, model_.embedder(), {}).added, 1u);
  EXPECT_EQ(opened.size(), 1u);
}

TEST_F(Update, DoesNotIndexItself) {
  write(photos_ / "1.jpg", "picture 1");
  file_ = photos_ / "index.moa";
  EXPECT_EQ(update().skipped, 0u);
  EXPECT_EQ(update().skipped, 0u);
}

TEST_F(Update, RefusesAPlaceThatIsNotThereAndChangesNothing) {
  write(photos_ / "1.jpg", "picture 1");
  update();
  std::filesystem::rename(photos_, folder_ / "elsewhere");
  EXPECT_EQ(code_of([&] { update(); }), ErrorCode::not_found);
  EXPECT_EQ(Collection::inspect(file_).items, 1u);
}

TEST_F(Update, KeepsWhatItHoldsOfAPlaceThatIsNotThereAndDoesTheOthers) {
  write(folder_ / "a/1.jpg", "picture 1");
  write(folder_ / "b/2.jpg", "picture 2");
  const std::vector<std::filesystem::path> places = {folder_ / "a", folder_ / "b", folder_ / "never"};
  Opened opened = open();
  EXPECT_EQ(opened.update(places, model_.embedder(), {}).failed_places.size(), 1u);
  std::filesystem::rename(folder_ / "a", folder_ / "unplugged");
  write(folder_ / "b/3.jpg", "picture 3");
  const UpdateReport report = opened.update(places, model_.embedder(), {});
  EXPECT_EQ(report.added, 1u);
  EXPECT_EQ(report.unchanged, 2u);
  EXPECT_EQ(report.removed, 0u);
  ASSERT_EQ(report.failed_places.size(), 2u);
  EXPECT_EQ(report.failed_places[0].path, (folder_ / "a").string());
  EXPECT_EQ(report.failed_places[0].code, "not_found");
  EXPECT_EQ(opened.places(), (Strings{folder_ / "a", folder_ / "b"}));
  std::filesystem::rename(folder_ / "unplugged", folder_ / "a");
  EXPECT_EQ(opened.update(places, model_.embedder(), {}).unchanged, 3u);
  EXPECT_EQ(model_.embedded, 3u);
}

TEST_F(Update, KeepsWhatItHoldsOfAPlaceWhoseLinkLeadsNowhereNow) {
  write(folder_ / "disk/1.jpg", "picture 1");
  write(photos_ / "2.jpg", "picture 2");
  std::filesystem::create_symlink(folder_ / "disk", folder_ / "link");
  const std::vector<std::filesystem::path> places = {folder_ / "link", photos_};
  Opened opened = open();
  opened.update(places, model_.embedder(), {});
  std::filesystem::rename(folder_ / "disk", folder_ / "unplugged");
  EXPECT_EQ(opened.update(places, model_.embedder(), {}).unchanged, 2u);
  EXPECT_EQ(opened.size(), 2u);
}

TEST_F(Update, TriesAgainWhatFailedWhereTheEmbedderSaysSo) {
  write(photos_ / "1.jpg", "broken");
  update();
  Embedder embedder = model_.embedder();
  std::string asked;
  embedder.tries_again = [&](const Failure& failure) {
    asked = failure.code;
    return true;
  };
  embedder.embed = [](std::span<const std::string>, const Embedder::Deliver& deliver) {
    deliver(0, vector_of("picture"), nullptr);
  };
  Opened opened = open();
  EXPECT_EQ(opened.update(std::vector{photos_}, embedder, {}).added, 1u);
  EXPECT_EQ(asked, "corrupt_data");
  EXPECT_EQ(opened.size(), 1u);
}

TEST(Plan, TriesAgainAFailedFileThatHasNotChangedIfTheCallerSaysSo) {
  const FileStamp stamp{7, 1, 2};
  Contents contents;
  contents.places = {{1, "/photos", "photos"}};
  Item& item = contents.items.emplace_back();
  item.place = 1;
  item.inside = "1.jpg";
  item.stamp = stamp;
  item.failure = std::make_shared<Failure>(Failure{"limit_exceeded", "too many pixels"});
  ListedPlace place;
  place.canonical = "/photos";
  place.files = {{"1.jpg", stamp}};
  EXPECT_EQ(make_plan({&place, 1}, contents, {}).failed, 1u);
  EXPECT_EQ(make_plan({&place, 1}, contents, [](const Failure&) { return false; }).failed, 1u);
  const Plan plan = make_plan({&place, 1}, contents, [](const Failure&) { return true; });
  ASSERT_EQ(plan.candidates.size(), 1u);
  EXPECT_EQ(plan.candidates[0].previous, &item);
}

TEST_F(Update, CountsAsRemovedOnlyWhatHadAVector) {
  for (const char* name : {"picture", "broken", "words"}) write(photos_ / name, name);
  update();
  for (const char* name : {"picture", "broken", "words"}) std::filesystem::remove(photos_ / name);
  EXPECT_EQ(update().removed, 1u);
  EXPECT_TRUE(Collection::errors(file_).empty());
}

TEST_F(Update, NeverStoresAVectorThatIsNotFinite) {
  write(photos_ / "1.jpg", "picture 1");
  Embedder embedder = model_.embedder();
  embedder.embed = [](std::span<const std::string>, const Embedder::Deliver& deliver) {
    deliver(0, std::vector<float>(kDim, std::nanf("")), nullptr);
  };
  Opened opened = open();
  const std::vector<std::filesystem::path> places = {photos_};
  EXPECT_EQ(opened.update(places, embedder, {}).failed, 1u);
  EXPECT_EQ(opened.size(), 0u);
  EXPECT_EQ(Collection::inspect(file_).rows, 0u);
}

TEST_F(Update, DoesNotTrustTheHashOfAFileThatChangesWhileItIsEmbedded) {
  write(photos_ / "1.jpg", "picture 1");
  Embedder meddling = model_.embedder();
  meddling.embed = [&](std::span<const std::string> paths, const Embedder::Deliver& deliver) {
    write(paths[0], "picture 2, longer");
    deliver(0, vector_of("picture 2, longer"), nullptr);
  };
  Opened opened = open();
  const std::vector<std::filesystem::path> places = {photos_};
  opened.update(places, meddling, {});
  write(photos_ / "copy.jpg", "picture 1");
  update(opened);
  EXPECT_EQ(model_.embedded, 2u);
  EXPECT_EQ(search(opened, "picture 1").front(), "copy.jpg");
}

TEST_F(Update, KeepsWhatWasFinishedWhenItIsCancelled) {
  for (int i = 0; i < 4; ++i) write(photos_ / std::to_string(i), "picture " + std::to_string(i));
  std::atomic<bool> cancelled = false;
  Embedder embedder = model_.embedder();
  embedder.embed = [&](std::span<const std::string> paths, const Embedder::Deliver& deliver) {
    const Error error(ErrorCode::cancelled, "");
    for (std::size_t i = 0; i < paths.size(); ++i) {
      cancelled = i >= 1;
      i < 2 ? deliver(i, vector_of(read(paths[i])), nullptr) : deliver(i, {}, &error);
    }
  };
  UpdateOptions options;
  options.cancelled = &cancelled;
  Opened opened = open();
  const std::vector<std::filesystem::path> places = {photos_};
  EXPECT_EQ(code_of([&] { opened.update(places, embedder, options); }), ErrorCode::cancelled);
  EXPECT_EQ(opened.size(), 2u);
  const UpdateReport report = update(opened);
  EXPECT_EQ(report.added, 2u);
  EXPECT_EQ(report.unchanged, 2u);
}

TEST_F(Update, WritesNothingWhenNothingHasChanged) {
  write(photos_ / "1.jpg", "picture 1");
  update();
  // Until two seconds after a file was written, its times alone do not prove that it is the same.
  struct stat status {};
  ::sleep(2);
  update();
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  const timespec before = status.st_mtim;
  update();
  ASSERT_EQ(::stat(file_.c_str(), &status), 0);
  EXPECT_EQ(before.tv_sec, status.st_mtim.tv_sec);
  EXPECT_EQ(before.tv_nsec, status.st_mtim.tv_nsec);
}

TEST_F(Update, TakesPathsAsBytes) {
  const std::string name = "\xff\xfe line\nbreak";
  write(photos_ / name, "picture");
  Opened opened = open();
  update(opened);
  EXPECT_EQ(search(opened, "picture"), (Strings{name}));
}

}  // namespace
}  // namespace moa::search
