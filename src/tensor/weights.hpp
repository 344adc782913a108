// The tensors of a checkpoint, taken one by one by the model that they belong to.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/parameter.hpp"

namespace moa {

// Every tensor is taken exactly by name and shape. What does not fit is collected, not guessed, and `finish`
// lists it all at once:
//   Weights weights = …;  Clip model(config, weights);  weights.finish("model.safetensors");
// Not thread-safe.
class Weights {
 public:
  Weights() = default;
  // Error: corrupt_data if a tensor of that name is there already.
  void add(Parameter parameter);

  bool has(std::string_view name) const;
  // The stored shape; {} if absent.
  Shape shape_of(std::string_view name) const;
  // The tensor `name`. If it is absent or of another shape, a parameter of zeros in the shape expected stands
  // in until `finish`.
  Parameter take(std::string_view name, const Shape& shape);
  // As `take`, and an empty Parameter if absent.
  Parameter take_if_present(std::string_view name, const Shape& shape);
  // Marks a tensor, if there is one of that name, as known and unneeded.
  void ignore(std::string_view name);

  // Error: shape_mismatch listing every missing, misshapen and left-over tensor (the first 20 of each);
  // `where` names the file.
  void finish(std::string_view where) const;
  // All tensors, by name.
  std::vector<Parameter> parameters() const;
  // The names not taken so far.
  std::vector<std::string> left_over() const;

 private:
  struct Entry {
    Parameter parameter;
    bool taken = false;
  };
  std::map<std::string, Entry, std::less<>> entries_;
  std::vector<std::string> missing_;
  std::vector<std::string> misshapen_;
};

// Tensors whose names begin alike: `scope.at("mlp").take("fc1.weight", …)` takes "<prefix>mlp.fc1.weight".
class WeightScope {
 public:
  explicit WeightScope(Weights& weights, std::string prefix = "")
      : weights_(&weights), prefix_(std::move(prefix)) {}

  // `name` and a dot added to the prefix.
  WeightScope at(std::string_view name) const {
    return WeightScope(*weights_, prefix_ + std::string(name) + ".");
  }
  WeightScope at(std::string_view name, std::int64_t index) const {
    return at(std::string(name) + "." + std::to_string(index));
  }

  bool has(std::string_view name) const { return weights_->has(prefix_ + std::string(name)); }
  Shape shape_of(std::string_view name) const { return weights_->shape_of(prefix_ + std::string(name)); }
  Parameter take(std::string_view name, const Shape& shape) const {
    return weights_->take(prefix_ + std::string(name), shape);
  }
  Parameter take_if_present(std::string_view name, const Shape& shape) const {
    return weights_->take_if_present(prefix_ + std::string(name), shape);
  }
  void ignore(std::string_view name) const { weights_->ignore(prefix_ + std::string(name)); }
  const std::string& prefix() const { return prefix_; }

 private:
  Weights* weights_;
  std::string prefix_;
};

}  // namespace moa
