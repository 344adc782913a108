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
#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_writer.hpp"

namespace moa::train {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPrefix = "step-";
constexpr std::string_view kUnfinished = ".unfinished-";
constexpr const char* kTensors = "state.safetensors";
constexpr const char* kFacts = "training.json";
constexpr std::uint64_t kMostFactsBytes = 65536;
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
    sync_folder(beside);
    fs::rename(beside, place, failed);
    if (failed) fail(place, failed.message());
    sync_folder(folder_);
  }
  const std::vector<fs::path> all = places();
  for (std::size_t i = 0; i + keep_ < all.size(); ++i) fs::remove_all(all[i], failed);
}

std::optional<TrainingState> CheckpointStore::newest() const {
  const std::vector<fs::path> all = places();
  if (all.empty()) return std::nullopt;
  const fs::path facts_path = all.back() / kFacts;
  const Config facts = Config::parse(read_file(facts_path, kMostFactsBytes), facts_path.string());
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
  const SafetensorsFile file = SafetensorsFile::open(all.back() / kTensors);
  for (const StoredTensor& tensor : file.tensors())
    state.engine.tensors.push_back(file.parameter(tensor, tensor.name));
  return state;
}

}  // namespace moa::train
