// Which tensors of a pickle are a model's weights, and what they are called.
#pragma once

#include <string>
#include <vector>

#include "checkpoint/pickle.hpp"

namespace moa {

struct NamedTensor {
  std::string name;
  const PickledTensor* tensor;
};

// What is known how to take apart:
//   a state dict, {name: tensor};
//   a training checkpoint, {'state_dict': …}, of which nothing else is read;
//   the objects of a TorchScript module, whose tensors are called by the attributes that lead to them.
// "module." in front of every name, which data-parallel training leaves there, is taken off.
// `where` names the pickle in errors. Errors: unsupported for anything else; corrupt_data for a name twice;
// limit_exceeded for objects nested deeper than 64.
std::vector<NamedTensor> tensors_of(const Pickle& pickle, const std::string& where);

}  // namespace moa
