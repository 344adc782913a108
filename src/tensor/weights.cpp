#include "tensor/weights.hpp"

#include <algorithm>

#include <moa/error.hpp>

namespace moa {
namespace {

class ZeroSource final : public ParameterSource {
 public:
  void read(std::int64_t, std::int64_t count, float* out) const override { std::fill_n(out, count, 0.0F); }
};

void list(std::string& text, const char* heading, const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 20;
  if (names.empty()) return;
  text += std::string("; ") + heading + " ";
  for (std::size_t i = 0; i < names.size() && i < kShown; ++i) text += (i == 0 ? "" : ", ") + names[i];
  if (names.size() > kShown) text += " and " + std::to_string(names.size() - kShown) + " more";
}

}  // namespace

void Weights::add(Parameter parameter) {
  std::string name = parameter.name();
  const auto [entry, is_new] = entries_.try_emplace(std::move(name), Entry{std::move(parameter), false});
  if (!is_new)
    throw Error(ErrorCode::corrupt_data, "tensor '" + entry->first + "' stands twice in the checkpoint");
}

bool Weights::has(std::string_view name) const {
  return entries_.find(name) != entries_.end();
}

Shape Weights::shape_of(std::string_view name) const {
  const auto found = entries_.find(name);
  return found == entries_.end() ? Shape{} : found->second.parameter.shape();
}

Parameter Weights::take(std::string_view name, const Shape& shape) {
  const auto found = entries_.find(name);
  if (found == entries_.end()) {
    missing_.push_back(std::string(name) + " " + to_string(shape));
  } else {
    found->second.taken = true;
    if (found->second.parameter.shape() == shape) return found->second.parameter;
    misshapen_.push_back(std::string(name) + ": expected " + to_string(shape) + ", found " +
                         to_string(found->second.parameter.shape()));
  }
  return {std::string(name), shape, DType::f32, std::make_shared<ZeroSource>()};
}

Parameter Weights::take_if_present(std::string_view name, const Shape& shape) {
  return has(name) ? take(name, shape) : Parameter();
}

void Weights::ignore(std::string_view name) {
  if (const auto found = entries_.find(name); found != entries_.end()) found->second.taken = true;
}

std::vector<Parameter> Weights::parameters() const {
  std::vector<Parameter> all;
  for (const auto& [name, entry] : entries_) all.push_back(entry.parameter);
  return all;
}

std::vector<std::string> Weights::left_over() const {
  std::vector<std::string> names;
  for (const auto& [name, entry] : entries_) {
    if (!entry.taken) names.push_back(name);
  }
  return names;
}

void Weights::finish(std::string_view where) const {
  std::vector<std::string> extra;
  for (const std::string& name : left_over()) extra.push_back(name + " " + to_string(shape_of(name)));
  if (missing_.empty() && misshapen_.empty() && extra.empty()) return;
  std::string text =
      "cannot load " + std::string(where) + ": its tensors are not those that its configuration describes";
  list(text, "missing", missing_);
  list(text, "misshapen", misshapen_);
  list(text, "not expected", extra);
  throw Error(ErrorCode::shape_mismatch, text);
}

}  // namespace moa
