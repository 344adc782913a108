#include <moa/merge.hpp>

#include <cmath>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "base/new_directory.hpp"
#include "base/number_text.hpp"
#include "checkpoint/adapter.hpp"
#include "embed/loaded_model.hpp"
#include "export/published_directory.hpp"
#include "tensor/elements.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// (1 - share) of one tensor and `share` of another of its shape.
class Between final : public ParameterSource {
 public:
  Between(Parameter base, Parameter tuned, double share)
      : base_(std::move(base)), tuned_(std::move(tuned)), share_(share) {}

  void read(std::int64_t first, std::int64_t count, float* out) const override {
    std::vector<float> tuned(static_cast<std::size_t>(count));
    read_elements(tuned_, first, count, tuned.data());
    read_elements(base_, first, count, out);
    for (std::size_t i = 0; i < tuned.size(); ++i) {
      out[i] = static_cast<float>((1 - share_) * out[i] + share_ * tuned[i]);
      if (!std::isfinite(out[i])) {
        throw Error(ErrorCode::out_of_range, "cannot merge '" + base_.name() +
                                                 "': found a weight that is no number, expected numbers");
      }
    }
  }
  void drop_pages() const override {
    base_.drop_pages();
    tuned_.drop_pages();
  }

 private:
  Parameter base_;
  Parameter tuned_;
  double share_;
};

bool is_counted(const Parameter& tensor) {  // positions' ids and the like, which are not weights
  return tensor.dtype() == DType::i64 || tensor.dtype() == DType::i32 || tensor.dtype() == DType::u8;
}

Parameter merged(const Parameter& base, const Parameter& tuned, double share) {
  if (is_counted(base)) return base;
  const DType dtype = base.dtype() == tuned.dtype() ? base.dtype() : DType::f32;
  if (share == 0 && base.dtype() == dtype) return base;
  if (share == 1 && tuned.dtype() == dtype) return tuned;
  return Parameter(base.name(), base.shape(), dtype, std::make_shared<Between>(base, tuned, share));
}

// What only one of them has, or has in another shape, as lines of a message.
class Differences {
 public:
  void add(const std::string& difference) {
    constexpr int kMost = 10;
    if (++count_ <= kMost) lines_ += "; " + difference;
  }
  void refuse_any(std::string_view base, std::string_view tuned) const {
    if (count_ == 0) return;
    throw Error(ErrorCode::model_mismatch, "cannot merge '" + std::string(base) + "' and '" +
                                               std::string(tuned) + "': found " + std::to_string(count_) +
                                               " tensors that differ" + lines_ +
                                               ", expected the same names and shapes");
  }

 private:
  int count_ = 0;
  std::string lines_;
};

void check_share(double share) {
  if (share >= 0 && share <= 1) return;
  throw Error(ErrorCode::invalid_argument,
              "cannot merge with a share of " + shortest_digits(share) + ": expected one from 0 to 1");
}

}  // namespace

void merge_adapter(std::string_view base_name, const fs::path& adapter_place, double share,
                   const fs::path& place, const std::atomic<bool>* cancelled) {
  check_share(share);
  NewDirectory directory(place, cancelled);
  const std::shared_ptr<const LoadedModel> base = LoadedModel::load(base_name, {.device = "cpu"});
  Adapter adapter = Adapter::open(adapter_place);
  adapter.scale *= share;
  const Weights merged = adapter.merged_into(base->directory().weights());
  write_published(base->directory(), merged.parameters(), {}, directory);
  directory.commit();
}

void interpolate(std::string_view base_name, std::string_view tuned_name, double share, const fs::path& place,
                 const std::atomic<bool>* cancelled) {
  check_share(share);
  NewDirectory directory(place, cancelled);
  const std::shared_ptr<const LoadedModel> base = LoadedModel::load(base_name, {.device = "cpu"});
  const std::shared_ptr<const LoadedModel> tuned = LoadedModel::load(tuned_name, {.device = "cpu"});
  const Weights base_weights = base->directory().weights();
  const Weights tuned_weights = tuned->directory().weights();

  std::map<std::string, Parameter> others;
  for (const Parameter& tensor : tuned_weights.parameters()) others.emplace(tensor.name(), tensor);
  Differences differences;
  std::vector<Parameter> tensors;
  for (const Parameter& tensor : base_weights.parameters()) {
    const auto other = others.extract(tensor.name());
    if (other.empty()) {
      differences.add("'" + tensor.name() + "' is in the first alone");
    } else if (other.mapped().shape() != tensor.shape()) {
      differences.add("'" + tensor.name() + "' is " + to_string(tensor.shape()) + " and " +
                      to_string(other.mapped().shape()));
    } else {
      tensors.push_back(merged(tensor, other.mapped(), share));
    }
  }
  for (const auto& [name, tensor] : others) differences.add("'" + name + "' is in the second alone");
  differences.refuse_any(base_name, tuned_name);
  write_published(base->directory(), tensors, {}, directory);
  directory.commit();
}

}  // namespace moa
