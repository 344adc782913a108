// Finding the files below a folder.
#include "base/walk.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "search/scene.hpp"

namespace moa {
namespace {

using search::TemporaryFolder;
using search::write;
using Strings = std::vector<std::string>;

Strings names(const Walk& found) {
  Strings result;
  for (const WalkedFile& file : found.files) result.push_back(file.inside);
  return result;
}

TEST(Walk, SortsByBytesOfTheWholePath) {
  const TemporaryFolder folder;
  for (const char* name : {"a/b", "a.b", "a-b", "B", "\xed\x95\x9c", "a/c/d", "ab"})
    write(folder / name, "x");
  EXPECT_EQ(names(walk(folder.path())), (Strings{"B", "a-b", "a.b", "a/b", "a/c/d", "ab", "\xed\x95\x9c"}));
}

TEST(Walk, SkipsHiddenFilesAndFolders) {
  const TemporaryFolder folder;
  for (const char* name : {".hidden", ".git/config", "seen/.also", "seen/this"}) write(folder / name, "x");
  EXPECT_EQ(names(walk(folder.path())), (Strings{"seen/this"}));
}

TEST(Walk, FollowsLinksToFilesOnly) {
  const TemporaryFolder folder;
  const TemporaryFolder elsewhere;
  write(elsewhere / "file", "four");
  std::filesystem::create_symlink(elsewhere / "file", folder / "link");
  std::filesystem::create_symlink(elsewhere.path(), folder / "folder");
  std::filesystem::create_symlink(folder / "nowhere", folder / "broken");
  std::filesystem::create_symlink(".", folder / "loop");
  const Walk found = walk(folder.path());
  EXPECT_EQ(names(found), (Strings{"link"}));
  EXPECT_EQ(found.files[0].stamp.size_bytes, 4u);
}

TEST(Walk, SkipsPipes) {
  const TemporaryFolder folder;
  ASSERT_EQ(::mkfifo((folder / "pipe").c_str(), 0600), 0);
  EXPECT_TRUE(walk(folder.path()).files.empty());
}

TEST(Walk, RefusesAFolderThatIsNotThereOrIsAFile) {
  const TemporaryFolder folder;
  write(folder / "file", "x");
  EXPECT_EQ(search::code_of([&] { walk(folder / "nowhere"); }), ErrorCode::not_found);
  EXPECT_EQ(search::code_of([&] { walk(folder / "file"); }), ErrorCode::not_found);
}

TEST(Walk, GoesDeep) {
  const TemporaryFolder folder;
  std::string deep;
  for (int depth = 0; depth < 200; ++depth) deep += "d/";
  write(folder / (deep + "file"), "x");
  EXPECT_EQ(names(walk(folder.path())), (Strings{deep + "file"}));
}

TEST(Walk, SaysWhereAPathGrowsTooLongForTheSystem) {
  const TemporaryFolder folder;
  write(folder / "file", "x");
  const std::string name(200, 'd');
  int here = ::open(folder.path().c_str(), O_RDONLY | O_DIRECTORY);
  for (int depth = 0; depth < 30; ++depth) {
    ASSERT_EQ(::mkdirat(here, name.c_str(), 0700), 0);
    const int next = ::openat(here, name.c_str(), O_RDONLY | O_DIRECTORY);
    ::close(here);
    here = next;
  }
  ::close(here);
  const Walk found = walk(folder.path());
  EXPECT_EQ(names(found), (Strings{"file"}));
  EXPECT_EQ(found.unreadable.size(), 1u);
}

TEST(Walk, StopsWhenCancelled) {
  const TemporaryFolder folder;
  write(folder / "file", "x");
  const std::atomic<bool> cancelled = true;
  EXPECT_EQ(search::code_of([&] { walk(folder.path(), &cancelled); }), ErrorCode::cancelled);
}

TEST(Walk, GoesOnBesideAFolderThatCannotBeRead) {
  if (::geteuid() == 0) GTEST_SKIP() << "root may read everything";
  const TemporaryFolder folder;
  write(folder / "closed/file", "x");
  write(folder / "file", "x");
  ::chmod((folder / "closed").c_str(), 0);
  const Walk found = walk(folder.path());
  ::chmod((folder / "closed").c_str(), 0700);
  EXPECT_EQ(names(found), (Strings{"file"}));
  ASSERT_EQ(found.unreadable.size(), 1u);
  EXPECT_EQ(found.unreadable[0].inside, "closed");
}

}  // namespace
}  // namespace moa
