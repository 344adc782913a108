// The processes of one training: as torchrun starts them on several machines, or as moa does on this one.
#pragma once

#include <filesystem>

#include <moa/train.hpp>

namespace moa::cli {

// What torchrun tells each process in its environment: RANK, WORLD_SIZE, MASTER_ADDR and MASTER_PORT,
// LOCAL_RANK and LOCAL_WORLD_SIZE. Without WORLD_SIZE: one process. Error: invalid_argument naming the
// variable.
TrainProcesses processes_from_environment();

// Where processes of this machine meet: a folder of their own that goes with this object.
class MeetingFolder {
 public:
  MeetingFolder();  // error: io_error
  ~MeetingFolder();
  MeetingFolder(const MeetingFolder&) = delete;
  MeetingFolder& operator=(const MeetingFolder&) = delete;

  TrainProcesses process(int rank, int count) const;

 private:
  std::filesystem::path path_;
};

}  // namespace moa::cli
