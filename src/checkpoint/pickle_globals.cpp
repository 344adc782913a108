#include "checkpoint/pickle_globals.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include <moa/error.hpp>

namespace moa {
namespace {

using Id = PickleValue::Id;
using Kind = PickleValue::Kind;

constexpr std::size_t kMaxAxes = 16;

constexpr auto kStorageTypes = std::to_array<StorageType>({
    {"FloatStorage", 4, DType::f32},
    {"HalfStorage", 2, DType::f16},
    {"BFloat16Storage", 2, DType::bf16},
    {"DoubleStorage", 8, DType::f64},
    {"LongStorage", 8, DType::i64},
    {"IntStorage", 4, DType::i32},
    {"ByteStorage", 1, DType::u8},
    {"BoolStorage", 1, DType::u8},
    {"ShortStorage", 2, {}},
    {"CharStorage", 1, {}},
    {"ComplexFloatStorage", 8, {}},
    {"ComplexDoubleStorage", 16, {}},
});

[[noreturn]] void corrupt(const std::string& where, const std::string& found) {
  throw Error(ErrorCode::corrupt_data, "cannot read " + where + ": " + found);
}

// The argument at `index`, which must be of `kind`.
const PickleValue& argument(const Pickle& pickle, const PickleValue& arguments, std::size_t index, Kind kind,
                            const std::string& where) {
  const bool fits = index < arguments.items.size() && pickle.at(arguments.items[index]).kind == kind;
  if (!fits) corrupt(where, "argument " + std::to_string(index) + " of a call is not what it must be");
  return pickle.at(arguments.items[index]);
}

std::vector<std::int64_t> sizes(const Pickle& pickle, const PickleValue& tuple, const std::string& where) {
  if (tuple.items.size() > kMaxAxes) corrupt(where, "a tensor has more than 16 axes");
  std::vector<std::int64_t> numbers;
  for (std::size_t i = 0; i < tuple.items.size(); ++i) {
    const std::int64_t number = argument(pickle, tuple, i, Kind::integer, where).number;
    if (number < 0) corrupt(where, "a tensor has the size or stride " + std::to_string(number));
    numbers.push_back(number);
  }
  return numbers;
}

Id add(Pickle& pickle, PickleValue value) {
  pickle.values.push_back(std::move(value));
  return static_cast<Id>(pickle.values.size() - 1);
}

// _rebuild_tensor_v2(storage, offset, size, stride, requires_grad, backward_hooks, metadata=None)
Id rebuild_tensor(Pickle& pickle, const PickleValue& arguments, const std::string& where) {
  PickledTensor tensor;
  const PickleValue& storage = argument(pickle, arguments, 0, Kind::storage, where);
  tensor.storage = pickle.storages[static_cast<std::size_t>(storage.number)];
  const std::int64_t offset = argument(pickle, arguments, 1, Kind::integer, where).number;
  if (offset < 0) corrupt(where, "a tensor begins at the element " + std::to_string(offset));
  tensor.offset = static_cast<std::uint64_t>(offset);
  tensor.extents = sizes(pickle, argument(pickle, arguments, 2, Kind::tuple, where), where);
  tensor.strides = sizes(pickle, argument(pickle, arguments, 3, Kind::tuple, where), where);
  if (tensor.extents.size() != tensor.strides.size()) {
    corrupt(where, "a tensor has " + std::to_string(tensor.extents.size()) + " sizes and " +
                       std::to_string(tensor.strides.size()) + " strides");
  }
  pickle.tensors.push_back(std::move(tensor));
  return add(pickle, {Kind::tensor, static_cast<std::int64_t>(pickle.tensors.size() - 1), {}, {}});
}

// _rebuild_parameter(data, requires_grad, backward_hooks)
Id rebuild_parameter(Pickle& pickle, const PickleValue& arguments, const std::string& where) {
  argument(pickle, arguments, 0, Kind::tensor, where);
  return arguments.items[0];
}

// OrderedDict(), which is filled afterwards.
Id ordered_dict(Pickle& pickle, const PickleValue& arguments, const std::string& where) {
  if (!arguments.items.empty()) corrupt(where, "an OrderedDict is made with arguments");
  return add(pickle, {Kind::dict, 0, {}, {}});
}

// TorchScript's typed lists: build_intlist([…]).
Id typed_list(Pickle& pickle, const PickleValue& arguments, const std::string& where) {
  argument(pickle, arguments, 0, Kind::list, where);
  return arguments.items[0];
}

// A device or a data type, which says nothing about the numbers.
Id nothing(Pickle& pickle, const PickleValue&, const std::string&) {
  return add(pickle, {});
}

struct Callable {
  std::string_view module;
  std::string_view name;
  // `arguments` is one of the pickle's own values, and no longer valid once another is added.
  Id (*call)(Pickle& pickle, const PickleValue& arguments, const std::string& where);
};

constexpr auto kCallables = std::to_array<Callable>({
    {"torch._utils", "_rebuild_tensor_v2", rebuild_tensor},
    {"torch._utils", "_rebuild_parameter", rebuild_parameter},
    {"collections", "OrderedDict", ordered_dict},
    {"torch.jit._pickle", "build_intlist", typed_list},
    {"torch.jit._pickle", "build_doublelist", typed_list},
    {"torch.jit._pickle", "build_boollist", typed_list},
    {"torch.jit._pickle", "build_tensorlist", typed_list},
    {"torch", "device", nothing},
});

}  // namespace

PickleValue import_global(std::string_view module, std::string_view name, const std::string& where) {
  const auto callable = std::ranges::find_if(
      kCallables, [&](const Callable& known) { return known.module == module && known.name == name; });
  if (callable != kCallables.end()) return {Kind::callable, callable - kCallables.begin(), {}, {}};
  if (module == "torch") {
    const auto* type = std::ranges::find(kStorageTypes, name, &StorageType::name);
    if (type != kStorageTypes.end()) return {Kind::storage_type, type - kStorageTypes.begin(), {}, {}};
  }
  if (module == "__torch__" || module.starts_with("__torch__.")) return {Kind::record_type, 0, {}, {}};
  throw Error(ErrorCode::unsupported,
              "cannot read " + where + ": found global '" + std::string(module) + "." + std::string(name) +
                  "', expected only the names that a state dict of plain tensors needs; save the model's "
                  "state_dict() alone, or as safetensors");
}

Id call_global(Pickle& pickle, Id callable, Id arguments, const std::string& where) {
  const PickleValue& function = pickle.at(callable);
  if (function.kind != Kind::callable) corrupt(where, "it calls what is no function");
  const PickleValue& given = pickle.at(arguments);
  if (given.kind != Kind::tuple) corrupt(where, "a call's arguments are no tuple");
  return kCallables[static_cast<std::size_t>(function.number)].call(pickle, given, where);
}

PickleValue load_storage(Pickle& pickle, const PickleValue& id, const std::string& where) {
  if (id.kind != Kind::tuple) corrupt(where, "a persistent id is no tuple");
  if (argument(pickle, id, 0, Kind::text, where).text != "storage") {
    corrupt(where, "a persistent id is not that of a storage");
  }
  PickledStorage storage;
  storage.type =
      &kStorageTypes[static_cast<std::size_t>(argument(pickle, id, 1, Kind::storage_type, where).number)];
  storage.key = argument(pickle, id, 2, Kind::text, where).text;
  const std::int64_t elements = argument(pickle, id, 4, Kind::integer, where).number;
  if (elements < 0) corrupt(where, "a storage has " + std::to_string(elements) + " elements");
  storage.elements = static_cast<std::uint64_t>(elements);
  pickle.storages.push_back(storage);
  return {Kind::storage, static_cast<std::int64_t>(pickle.storages.size() - 1), {}, {}};
}

}  // namespace moa
