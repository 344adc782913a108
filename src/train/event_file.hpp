// Numbers of a training as TensorBoard reads them: an event file, which is TFRecord's framing around the
// protobuf messages Event and Summary (tensorflow/core/util/event.proto, framework/summary.proto).
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <string_view>

namespace moa::train {

struct Scalar {
  std::string tag;  // "train/loss"
  double value = 0;
};

// CRC-32C (Castagnoli; RFC 3720, B.4), which TFRecord guards its records with.
std::uint32_t crc32c(std::string_view bytes);

class EventFile {
 public:
  // A new file in `folder`, events.out.tfevents.TIME.moa: what other files of the folder say of steps behind
  // `step` is void from here on. Error: io_error.
  EventFile(const std::filesystem::path& folder, std::int64_t step);

  // Error: io_error.
  void add(std::int64_t step, std::span<const Scalar> scalars);

 private:
  void write(const std::string& event);

  std::filesystem::path path_;
  std::ofstream file_;
};

}  // namespace moa::train
