#include "train/checkpoint_store.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <nlohmann/json.hpp>
#include <string>
#include <system_error>
#include <utility>

#include <moa/error.hpp>

#include "base/config.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_writer.hpp"

namespace moa::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kUnfinished = ".unfinished-";
constexpr std::string_view kDamaged = "damaged-";
constexpr const char* kTensors = "state.safetensors";
constexpr const char* kFacts = "training.json";
constexpr const char* kChecksums = "checksums.xxh128";
constexpr std::uint64_t kMostTextBytes = 65536;
constexpr std::int64_t kMany = std::int64_t{1} << 60;

[[noreturn]] void fail(const fs::path& path, const std::string& reason) {
  throw Error(ErrorCode::io_error, "cannot write the checkpoint '" + path.string() + "': " + reason);
}

// A rename is on disk once its folder is.
void sync_folder(const fs::path& folder) {
  const int file = ::open(folder.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (file < 0) fail(folder, std::generic_category().message(errno));
  const bool synced = ::fsync(file) == 0;
  const int reason = errno;
  ::close(file);
  if (!synced) fail(folder, std::generic_category().message(reason));
}

std::vector<TensorToWrite> tensors_of(const EngineState& state) {
  std::vector<TensorToWrite> tensors;
  for (const Parameter& tensor : state.tensors) {
    tensors.push_back({tensor.name(), DType::f32, tensor.shape(), [tensor](const ByteSink& write) {
                         const std::vector<float> values = tensor.read();
                         write(std::as_bytes(std::span(values)));
                       }});
  }
  return tensors;
}

// As `xxhsum -H2` prints it, and checks it with -c.
std::string checksum_line(const fs::path& checkpoint, const char* file) {
  const MappedFile mapped = MappedFile::open(checkpoint / file);
  std::string line = content_hash(mapped.bytes()) + "  " + file + "\n";
  drop_pages(mapped.bytes());
  return line;
}

void expect_checksums(const fs::path& checkpoint) {
  const std::string lines = read_file(checkpoint / kChecksums, kMostTextBytes);
  for (const char* file : {kTensors, kFacts}) {
    if (lines.find(checksum_line(checkpoint, file)) != lines.npos) continue;
    throw Error(ErrorCode::corrupt_data, "cannot read '" + (checkpoint / file).string() +
                                             "': found content that is not of the checksum in '" +
                                             kChecksums + "'");
  }
}

TrainingState read_checkpoint(const fs::path& place) {
  // Of files that are cut off, the file's own reader says more than a checksum can.
  const SafetensorsFile file = SafetensorsFile::open(place / kTensors);
  const fs::path facts_path = place / kFacts;
  const Config facts = Config::parse(read_file(facts_path, kMostTextBytes), facts_path.string());
  expect_checksums(place);
  const auto number = [&](const Config& from, const char* key) {
    if (!from.has(key))
      throw Error(ErrorCode::corrupt_data,
                  "cannot read '" + facts_path.string() + "': it has no '" + key + "'");
    return from.integer(key, 0, 0, kMany);
  };
  TrainingState state;
  state.step = number(facts, "step");
  for (const Config& at : facts.objects("sources")) {
    state.positions.push_back({static_cast<std::uint64_t>(number(at, "epoch")),
                               static_cast<std::uint64_t>(number(at, "taken")),
                               static_cast<std::uint64_t>(number(at, "skipped"))});
  }
  state.engine.steps = number(facts, "engine_steps");
  for (const StoredTensor& tensor : file.tensors())
    state.engine.tensors.push_back(file.parameter(tensor, tensor.name));
  return state;
}

// What another checkpoint may be better at; a disk that refuses to read is not among it.
bool is_damage(const Error& error) {
  return error.code() == ErrorCode::corrupt_data || error.code() == ErrorCode::not_found ||
         error.code() == ErrorCode::limit_exceeded || error.code() == ErrorCode::out_of_range;
}

// Out of the way of the step's next checkpoint, and out of the count of those that are kept.
fs::path set_aside(const fs::path& place) {
  fs::path aside = place.parent_path() / (std::string(kDamaged) + place.filename().string());
  std::error_code failed;
  fs::remove_all(aside, failed);
  fs::rename(place, aside, failed);
  if (failed) fail(aside, failed.message());
  return aside;
}

// A folder that is removed unless it was put in its place.
class Unfinished {
 public:
  explicit Unfinished(const fs::path& path) : path_(path) {
    std::error_code failed;
    fs::remove_all(path_, failed);
    if (!fs::create_directory(path_, failed)) fail(path_, failed.message());
  }
  ~Unfinished() {
    std::error_code ignored;
    fs::remove_all(path_, ignored);
  }
  Unfinished(const Unfinished&) = delete;
  Unfinished& operator=(const Unfinished&) = delete;

 private:
  fs::path path_;
};

}  // namespace

CheckpointStore::CheckpointStore(fs::path folder, std::size_t keep)
    : folder_(std::move(folder)), keep_(keep) {
  std::error_code failed;
  fs::create_directories(folder_, failed);
  if (failed) fail(folder_, failed.message());
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    // Of a run that was killed.
    if (entry.path().filename().string().starts_with(kUnfinished)) fs::remove_all(entry.path(), failed);
  }
}

std::vector<fs::path> CheckpointStore::places() const {
  std::vector<fs::path> found;
  for (const fs::directory_entry& entry : fs::directory_iterator(folder_)) {
    if (entry.path().filename().string().starts_with(kPrefix)) found.push_back(entry.path());
  }
  std::ranges::sort(found);
  return found;
}

void CheckpointStore::save(const TrainingState& state) {
  char digits[32];
  std::snprintf(digits, sizeof digits, "%012lld", static_cast<long long>(state.step));
  const fs::path place = folder_ / (std::string(kPrefix) + digits);
  std::error_code failed;
  if (fs::exists(place, failed)) return;  // this very step's
  const fs::path beside = folder_ / (std::string(kUnfinished) + digits);
  {
    const Unfinished unfinished(beside);
    write_safetensors(beside / kTensors, tensors_of(state.engine));
    nlohmann::ordered_json facts = {{"step", state.step}, {"engine_steps", state.engine.steps}};
    for (const DataPosition& at : state.positions) {
      facts["sources"].push_back({{"epoch", at.epoch}, {"taken", at.taken}, {"skipped", at.skipped}});
    }
    write_file_atomically(beside / kFacts, facts.dump(2) + "\n");
    write_file_atomically(beside / kChecksums,
                          checksum_line(beside, kTensors) + checksum_line(beside, kFacts));
    sync_folder(beside);
    fs::rename(beside, place, failed);
    if (failed) fail(place, failed.message());
    sync_folder(folder_);
  }
  const std::vector<fs::path> all = places();
  for (std::size_t i = 0; i + keep_ < all.size(); ++i) fs::remove_all(all[i], failed);
}

std::optional<TrainingState> CheckpointStore::newest_sound(const Note& note) {
  const std::vector<fs::path> all = places();
  std::vector<std::pair<fs::path, std::string>> damaged;
  std::string reasons;
  for (auto place = all.rbegin(); place != all.rend(); ++place) {
    try {
      TrainingState state = read_checkpoint(*place);
      for (const auto& [path, reason] : damaged) {
        const fs::path aside = set_aside(path);
        if (note) note("left out, and set aside as '" + aside.string() + "': " + reason);
      }
      return state;
    } catch (const Error& error) {
      if (!is_damage(error)) throw;
      damaged.emplace_back(*place, error.what());
      reasons += (reasons.empty() ? "" : "; ") + std::string(error.what());
    }
  }
  if (damaged.empty()) return std::nullopt;
  throw Error(ErrorCode::corrupt_data, "cannot go on: found no sound checkpoint in '" + folder_.string() +
                                           "', " + std::to_string(damaged.size()) + " damaged: " + reasons);
}

}  // namespace moa::train
