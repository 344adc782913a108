#include "cli/train_processes.hpp"

#include <stdlib.h>

#include <cerrno>
#include <charconv>
#include <cstdlib>
#include <optional>
#include <string>
#include <system_error>

#include <moa/error.hpp>

#include "base/new_directory.hpp"

namespace moa::cli {
namespace {

constexpr int kMost = 65536;

std::optional<std::string> variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

[[noreturn]] void refuse(const char* name, const std::string& what) {
  throw Error(ErrorCode::invalid_argument,
              std::string("cannot take part in a training of several processes: ") + name + ": " + what);
}

std::string needed(const char* name) {
  if (std::optional<std::string> value = variable(name)) return *value;
  refuse(name, "is not set, expected it beside WORLD_SIZE, as torchrun sets it");
}

int integer(const char* name, const std::string& text, int least, int most) {
  int value = 0;
  const auto [end, failed] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (failed == std::errc() && end == text.data() + text.size() && value >= least && value <= most)
    return value;
  refuse(name, "found '" + text + "', expected a whole number from " + std::to_string(least) + " to " +
                   std::to_string(most));
}

}  // namespace

TrainProcesses processes_from_environment() {
  TrainProcesses processes;
  const std::optional<std::string> count = variable("WORLD_SIZE");
  if (!count) return processes;
  processes.count = integer("WORLD_SIZE", *count, 1, kMost);
  if (processes.count == 1) return processes;
  processes.rank = integer("RANK", needed("RANK"), 0, processes.count - 1);
  const std::string port = needed("MASTER_PORT");
  processes.meeting_point =
      "tcp://" + needed("MASTER_ADDR") + ":" + std::to_string(integer("MASTER_PORT", port, 1, 65535));
  processes.local_count = integer("LOCAL_WORLD_SIZE", variable("LOCAL_WORLD_SIZE").value_or("1"), 1, kMost);
  processes.local_rank =
      integer("LOCAL_RANK", variable("LOCAL_RANK").value_or("0"), 0, processes.local_count - 1);
  return processes;
}

MeetingFolder::MeetingFolder() {
  std::string name = temporary_place("train").string() + "-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) {
    throw Error(ErrorCode::io_error,
                "cannot make the folder '" + name + "': " + std::generic_category().message(errno));
  }
  path_ = name;
}

MeetingFolder::~MeetingFolder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

TrainProcesses MeetingFolder::process(int rank, int count) const {
  return {rank, count, "file://" + (path_ / "meeting").string(), rank, count};
}

}  // namespace moa::cli
