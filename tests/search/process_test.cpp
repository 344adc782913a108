// Several processes at one collection, processes that are killed, and disks that refuse.
#include <sched.h>
#include <signal.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <functional>

#include "search/scene.hpp"

namespace moa::search {
namespace {

constexpr int kSkip = 77;

// Runs `act` in a process of its own; what it returns is the exit status, an exception is 99.
pid_t start(const std::function<int()>& act) {
  const pid_t child = ::fork();
  if (child != 0) return child;
  int status = 99;
  try {
    status = act();
  } catch (const std::exception& error) {
    std::fprintf(stderr, "%s\n", error.what());
  }
  ::_exit(status);
}

// The exit status, or minus the signal that ended it.
int wait_for(pid_t child) {
  int status = 0;
  ::waitpid(child, &status, 0);
  return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

class Processes : public CollectionTest {
 protected:
  void write_pictures(int first, int count) {
    for (int i = first; i < first + count; ++i) {
      write(photos_ / std::to_string(i), "picture " + std::to_string(i));
    }
  }
  // Every vector is the one of its file.
  void expect_sound(std::size_t items) {
    EXPECT_TRUE(Collection::inspect(file_).problems.empty());
    const Opened opened = open(Collection::Mode::open_existing);
    EXPECT_EQ(opened.size(), items);
    SearchOptions options;
    options.top = items;
    for (const std::string& path : search(opened, "picture", options)) {
      EXPECT_EQ(search(opened, read(photos_ / path)).front(), path);
    }
  }
  std::size_t files_beside() const {
    std::size_t count = 0;
    for ([[maybe_unused]] const auto& entry : std::filesystem::directory_iterator(file_.parent_path()))
      ++count;
    return count;
  }
};

TEST_F(Processes, LoseAtMostTheBatchInFlightWhenKilled) {
  write_pictures(0, 600);
  const pid_t child = start([&] {
    Embedder embedder = model_.embedder();
    const auto embed = embedder.embed;
    int batches = 0;
    embedder.embed = [&](std::span<const std::string> paths, const Embedder::Deliver& deliver) {
      if (++batches == 3) ::kill(::getpid(), SIGKILL);
      embed(paths, deliver);
    };
    Opened opened = open();
    opened.update(std::vector<std::filesystem::path>{photos_}, embedder, {});
    return 0;
  });
  EXPECT_EQ(wait_for(child), -SIGKILL);
  expect_sound(512);
  const UpdateReport report = update();
  EXPECT_EQ(report.unchanged, 512u);
  EXPECT_EQ(report.added, 88u);
  expect_sound(600);
  EXPECT_EQ(files_beside(), 2u);
}

TEST_F(Processes, LeaveASoundCollectionWheneverTheyAreKilled) {
  write_pictures(0, 40);
  update();
  for (int round = 0; round < 40; ++round) {
    // Changes of every kind, and every third time a new generation.
    write(photos_ / std::to_string(round), "picture " + std::to_string(round) + " again");
    std::filesystem::rename(photos_ / std::to_string((round + 7) % 40), photos_ / "moved");
    std::filesystem::rename(photos_ / "moved", photos_ / std::to_string((round + 7) % 40));
    const pid_t child = start([&] {
      Opened opened = open(round % 3 == 0 ? Collection::Mode::create_anew : Collection::Mode::open_or_create);
      update(opened);
      return 0;
    });
    ::usleep(static_cast<useconds_t>(round * 400));
    ::kill(child, SIGKILL);
    wait_for(child);
    const CollectionInfo info = Collection::inspect(file_);
    EXPECT_TRUE(info.problems.empty()) << round << ": " << info.problems.front();
    EXPECT_EQ(info.items, 40u);
  }
  update();
  expect_sound(40);
  EXPECT_EQ(files_beside(), 2u);
}

TEST_F(Processes, TakeTurnsAndShareTheWork) {
  write_pictures(0, 300);
  std::vector<pid_t> children;
  for (int i = 0; i < 3; ++i) {
    children.push_back(start([&] {
      Opened opened = open();
      update(opened);
      if (opened.size() != 300) return 1;
      return model_.embedded == 0 ? 10 : model_.embedded == 300 ? 20 : 2;
    }));
  }
  int embedding = 0;
  for (const pid_t child : children) {
    const int status = wait_for(child);
    EXPECT_TRUE(status == 10 || status == 20) << status;
    embedding += status == 20;
  }
  EXPECT_EQ(embedding, 1);
  expect_sound(300);
}

TEST_F(Processes, SeeWholeTransactionsWhileAnotherWrites) {
  write_pictures(0, 30);
  update();
  const pid_t writer = start([&] {
    for (int round = 0; round < 30; ++round) {
      Opened opened = open(round % 2 ? Collection::Mode::create_anew : Collection::Mode::open_or_create);
      update(opened);
    }
    return 0;
  });
  int looks = 0;
  int status = 0;
  while (::waitpid(writer, &status, WNOHANG) == 0) {
    const Opened opened = open(Collection::Mode::open_existing);
    EXPECT_EQ(opened.size(), 30u);
    const std::string any = std::to_string(looks++ % 30);
    EXPECT_EQ(search(opened, "picture " + any).front(), any);
  }
  EXPECT_EQ(WEXITSTATUS(status), 0);
  EXPECT_GT(looks, 0);
}

TEST_F(Processes, WaitForTheOneThatWritesUntilCancelled) {
  write_pictures(0, 1);
  const auto holding = Writer::try_begin(StoreFiles(file_), target(), Writer::Start::from_what_is_there);
  ASSERT_NE(holding, nullptr);
  std::atomic<bool> cancelled = false;
  UpdateOptions options;
  options.cancelled = &cancelled;
  options.waiting = [&] { cancelled = true; };
  Opened opened = open();
  EXPECT_EQ(code_of([&] { update(opened, options); }), ErrorCode::cancelled);
}

TEST_F(Processes, KeepTheCollectionWhenFilesMayNotGrow) {
  write_pictures(0, 5);
  update();
  write_pictures(5, 250);
  const pid_t child = start([&] {
    ::signal(SIGXFSZ, SIG_IGN);
    const rlimit limit{6000, 6000};  // the vectors need 28,576 bytes
    ::setrlimit(RLIMIT_FSIZE, &limit);
    const ErrorCode code = code_of([&] { update(); });
    return code == ErrorCode::io_error ? 0 : 1;
  });
  EXPECT_EQ(wait_for(child), 0);
  expect_sound(5);
  EXPECT_EQ(update().added, 250u);
  expect_sound(255);
}

// In a mount namespace of its own, with a small file system at `where`. False if that is not allowed here.
bool mount_small_disk(const std::filesystem::path& where, const char* options) {
  return ::unshare(CLONE_NEWNS) == 0 && ::mount(nullptr, "/", nullptr, MS_REC | MS_PRIVATE, nullptr) == 0 &&
         ::mount("tmpfs", where.c_str(), "tmpfs", 0, options) == 0;
}

TEST_F(Processes, KeepTheCollectionWhenTheDiskIsFull) {
  std::filesystem::create_directories(file_.parent_path());
  const pid_t child = start([&] {
    if (!mount_small_disk(file_.parent_path(), "size=64k")) return kSkip;
    write_pictures(0, 100);
    update();
    write_pictures(100, 400);
    try {
      update();
      return 1;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::io_error) return 2;
      if (std::string(error.what()).find(file_.string()) == std::string::npos) return 3;
    }
    const CollectionInfo info = Collection::inspect(file_);
    if (!info.problems.empty() || info.items < 100) return 4;
    return search(open(), "picture 7").front() == "7" ? 0 : 5;
  });
  const int status = wait_for(child);
  if (status == kSkip) GTEST_SKIP() << "no right to mount a file system";
  EXPECT_EQ(status, 0);
}

TEST_F(Processes, SearchWhereNothingMayBeWritten) {
  std::filesystem::create_directories(file_.parent_path());
  write_pictures(0, 10);
  ::sleep(2);  // so that the times of the files prove that they are the same
  const pid_t child = start([&] {
    if (!mount_small_disk(file_.parent_path(), "size=1m")) return kSkip;
    update();
    if (::mount(nullptr, file_.parent_path().c_str(), nullptr, MS_REMOUNT | MS_RDONLY, nullptr) != 0)
      return kSkip;
    Opened opened = open();
    if (update(opened).unchanged != 10) return 1;
    if (search(opened, "picture 7").front() != "7") return 2;
    if (!Collection::inspect(file_).problems.empty()) return 3;
    write_pictures(10, 1);
    try {
      update(opened);
      return 4;
    } catch (const Error& error) {
      if (error.code() != ErrorCode::io_error) return 5;
      if (std::string(error.what()).find(file_.string()) == std::string::npos) return 6;
    }
    return search(opened, "picture 7").front() == "7" ? 0 : 7;
  });
  const int status = wait_for(child);
  if (status == kSkip) GTEST_SKIP() << "no right to mount a file system";
  EXPECT_EQ(status, 0);
}

}  // namespace
}  // namespace moa::search
