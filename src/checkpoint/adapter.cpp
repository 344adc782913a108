#include "checkpoint/adapter.hpp"

#include <algorithm>
#include <cmath>
#include <memory>
#include <set>
#include <utility>

#include <moa/error.hpp>

#include "checkpoint/adapter_delta.hpp"
#include "tensor/elements.hpp"

namespace moa {

std::string_view name(AdapterKind kind) noexcept {
  switch (kind) {
    case AdapterKind::lora:
      return "lora";
    case AdapterKind::tt_lora:
      return "tt_lora";
    case AdapterKind::tt_matrix:
      return "tt_matrix";
    case AdapterKind::shared:
      return "shared";
  }
  return "unknown";
}

std::span<const std::string_view> tensor_endings(AdapterKind kind) noexcept {
  static constexpr std::string_view kLora[] = {".lora_A.weight", ".lora_B.weight"};
  static constexpr std::string_view kTrains[] = {".tt_lora.p1", ".tt_lora.p2", ".tt_lora.p3",
                                                 ".tt_lora.q1", ".tt_lora.q2", ".tt_lora.q3"};
  static constexpr std::string_view kMatrix[] = {".tt_matrix.g1", ".tt_matrix.g2", ".tt_matrix.g3"};
  static constexpr std::string_view kShared[] = {".shared.s", ".shared.u", ".shared.v"};
  switch (kind) {
    case AdapterKind::lora:
      return kLora;
    case AdapterKind::tt_lora:
      return kTrains;
    case AdapterKind::tt_matrix:
      return kMatrix;
    case AdapterKind::shared:
      return kShared;
  }
  return {};
}

std::array<std::int64_t, 3> tensor_train_modes(std::int64_t width) {
  std::array<std::int64_t, 3> best{1, 1, width};
  for (std::int64_t side = 2; side * side <= width; ++side) {
    if (width % (side * side) != 0) continue;
    const std::int64_t rest = width / (side * side);
    if (std::max(side, rest) < std::max(best[1], best[2])) best = {side, side, rest};
  }
  return best;
}

std::string shared_key(const std::string& module, std::int64_t side) {
  return module.substr(0, module.find('.')) + "." + std::to_string(side);
}

bool is_shareable(const Shape& weight) {
  if (weight.rank() != 2 || weight.elements() == 0) return false;
  return std::max(weight[0], weight[1]) % std::min(weight[0], weight[1]) == 0;
}

namespace {

// A matrix of the checkpoint and what is added to it.
class MergedSource final : public ParameterSource {
 public:
  MergedSource(Parameter weight, std::shared_ptr<const AdapterDelta> delta)
      : weight_(std::move(weight)), delta_(std::move(delta)) {}
  // Callers ask for whole rows.
  void read(std::int64_t first, std::int64_t count, float* out) const override {
    const std::int64_t width = weight_.shape().elements_per_row();
    read_elements(weight_, first, count, out);
    delta_->add_rows(first / width, count / width, out);
    if (std::all_of(out, out + count, [](float value) { return std::isfinite(value); })) return;
    throw Error(ErrorCode::out_of_range, "cannot add the adapter to '" + weight_.name() +
                                             "': found a weight that is no number, expected numbers");
  }
  void drop_pages() const override { weight_.drop_pages(); }

 private:
  Parameter weight_;
  std::shared_ptr<const AdapterDelta> delta_;
};

}  // namespace

std::vector<std::string> Adapter::modules() const {
  const std::string_view ending = tensor_endings(kind).front();
  const std::string_view beginning = tensor_beginning(kind);
  std::set<std::string> names;
  for (const auto& [name, tensor] : tensors) {
    if (!name.starts_with(beginning) || !name.ends_with(ending)) continue;
    names.insert(name.substr(beginning.size(), name.size() - beginning.size() - ending.size()));
  }
  return {names.begin(), names.end()};
}

std::int64_t Adapter::numbers() const {
  std::int64_t count = 0;
  for (const auto& [name, tensor] : tensors) count += tensor.shape().elements();
  return count;
}

Weights Adapter::merged_into(const Weights& weights) const {
  const std::string attempt = "the adapter '" + place + "' belongs to another model: found ";
  std::map<std::string, std::string> targets;  // weight, module
  std::vector<std::string> absent;
  for (const std::string& module : modules()) {
    const std::string weight = module + ".weight";
    targets.emplace(weight, module);
    if (!weights.has(weight)) absent.push_back(weight);
  }
  if (!absent.empty()) {
    throw Error(ErrorCode::model_mismatch,
                attempt + "one for '" + absent.front() + "'" +
                    (absent.size() > 1 ? " and " + std::to_string(absent.size() - 1) + " more" : "") +
                    ", which the model has not");
  }
  std::set<std::string> used;
  Weights merged;
  for (const Parameter& parameter : weights.parameters()) {
    const auto found = targets.find(parameter.name());
    if (found == targets.end()) {
      merged.add(parameter);
      continue;
    }
    auto delta = adapter_delta(*this, found->second, parameter.shape(), used);
    auto source = std::make_shared<MergedSource>(parameter, std::move(delta));
    merged.add(Parameter(parameter.name(), parameter.shape(), DType::f32, std::move(source)));
  }
  for (const auto& [name, tensor] : tensors) {
    if (!used.contains(name))
      throw Error(ErrorCode::model_mismatch, attempt + "'" + name + "', which no layer has a use for");
  }
  return merged;
}

}  // namespace moa
