#include "cli/worker_processes.hpp"

#include <unistd.h>

#include <chrono>
#include <csignal>
#include <fstream>
#include <string>
#include <thread>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "cli/train_processes.hpp"

namespace moa::cli {
namespace {

const std::atomic<bool> kNever{false};

void wait_long() {
  std::this_thread::sleep_for(std::chrono::seconds(60));
}

TEST(WorkerProcesses, EachDoesItsWorkInAProcessOfItsOwn) {
  const testing::TemporaryDirectory folder;
  const pid_t parent = ::getpid();
  in_processes(
      3,
      [&](int rank) {
        if (::getpid() != parent) folder.write(std::to_string(rank), "done");
      },
      kNever);
  for (const char* rank : {"0", "1", "2"}) EXPECT_TRUE(std::filesystem::exists(folder.path() / rank));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "3"));
}

TEST(WorkerProcesses, GiveTheErrorThatCameFirstNotThoseOfTheLost) {
  const auto work = [](int rank) {
    if (rank == 1) throw Error(ErrorCode::corrupt_data, "a damaged picture");
    throw Error(ErrorCode::io_error, "has lost another");
  };
  try {
    in_processes(3, work, kNever);
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::corrupt_data);
    EXPECT_STREQ(error.what(), "a damaged picture");
  }
}

TEST(WorkerProcesses, TellOfOneThatWasKilled) {
  const auto work = [](int rank) {
    if (rank == 0) std::raise(SIGKILL);
  };
  MOA_EXPECT_ERROR(in_processes(2, work, kNever), limit_exceeded);
}

TEST(WorkerProcesses, PassAnInterruptionOn) {
  const std::atomic<bool> interrupted{true};
  const auto work = [](int) {
    std::signal(SIGTERM, [](int) { ::_exit(static_cast<int>(ErrorCode::cancelled) + 1); });
    wait_long();
  };
  // One that comes before the worker is ready ends it as well.
  const auto start = std::chrono::steady_clock::now();
  EXPECT_THROW(in_processes(2, work, interrupted), Error);
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(30));
}

// What torchrun tells, and nothing else, for as long as it lives.
class Environment {
 public:
  explicit Environment(std::initializer_list<std::pair<const char*, const char*>> variables) {
    for (const auto& [name, value] : variables) ::setenv(name, value, 1);
  }
  ~Environment() {
    for (const char* name :
         {"WORLD_SIZE", "RANK", "MASTER_ADDR", "MASTER_PORT", "LOCAL_RANK", "LOCAL_WORLD_SIZE"})
      ::unsetenv(name);
  }
};

TEST(TrainProcesses, AreWhatTorchrunTells) {
  EXPECT_EQ(processes_from_environment().count, 1);
  const Environment told{{"WORLD_SIZE", "8"},      {"RANK", "5"},       {"MASTER_ADDR", "node0"},
                         {"MASTER_PORT", "29500"}, {"LOCAL_RANK", "1"}, {"LOCAL_WORLD_SIZE", "4"}};
  const TrainProcesses processes = processes_from_environment();
  EXPECT_EQ(processes.count, 8);
  EXPECT_EQ(processes.rank, 5);
  EXPECT_EQ(processes.meeting_point, "tcp://node0:29500");
  EXPECT_EQ(processes.local_rank, 1);
  EXPECT_EQ(processes.local_count, 4);
}

TEST(TrainProcesses, RefuseWhatCannotBe) {
  using Variable = std::pair<const char*, const char*>;
  for (const auto& [wrong, value] :
       {Variable{"RANK", "2"}, Variable{"RANK", ""}, Variable{"RANK", "-1"}, Variable{"WORLD_SIZE", "0"},
        Variable{"MASTER_ADDR", ""}, Variable{"MASTER_PORT", "70000"}, Variable{"LOCAL_RANK", "1"}}) {
    const Environment told{{"WORLD_SIZE", "2"},
                           {"RANK", "1"},
                           {"MASTER_ADDR", "node0"},
                           {"MASTER_PORT", "29500"},
                           {wrong, value}};
    MOA_EXPECT_ERROR(processes_from_environment(), invalid_argument);
  }
}

}  // namespace
}  // namespace moa::cli
