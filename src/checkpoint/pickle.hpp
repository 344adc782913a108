// The values inside a pickle of tensors, as torch.save and torch.jit.save write them. A pickle is a program;
// what runs it here (pickle.cpp) knows the few instructions that those two use and the few names that they
// call (pickle_globals.cpp), imports nothing and runs no code of the file.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/parameter.hpp"

namespace moa {

// What a storage class of torch holds.
struct StorageType {
  std::string_view name;       // "HalfStorage"
  std::size_t bytes = 0;       // of an element
  std::optional<DType> dtype;  // empty: a type that moa does not read
};

// A run of elements in a file of its own beside the pickle.
struct PickledStorage {
  const StorageType* type = nullptr;
  std::string_view key;  // the name of that file
  std::uint64_t elements = 0;
};

// A view of a storage. Counts are those of the pickle, not yet held against the storage.
struct PickledTensor {
  PickledStorage storage;
  std::uint64_t offset = 0;
  std::vector<std::int64_t> extents;
  std::vector<std::int64_t> strides;
};

struct PickleValue {
  enum class Kind {
    none,
    boolean,
    integer,
    real,
    text,
    list,
    tuple,
    dict,
    callable,  // a name that may be called
    storage_type,
    storage,
    tensor,
    record_type,  // a class of TorchScript
    record,       // an object of such a class
  };
  using Id = std::uint32_t;

  Kind kind = Kind::none;
  std::int64_t number = 0;  // boolean, integer; the index of a callable, storage type, storage or tensor
  std::string_view text;    // text
  // List and tuple; dict: a key, its value, a key, …; record: what its attributes are in, mostly a dict.
  std::vector<Id> items;
};

// Values refer to each other by their place in `values`, so that one may hold another twice, or itself.
struct Pickle {
  std::vector<PickleValue> values;
  std::vector<PickledStorage> storages;
  std::vector<PickledTensor> tensors;
  PickleValue::Id root = 0;

  const PickleValue& at(PickleValue::Id id) const { return values[id]; }
};

// Runs the pickle `bytes`, whose texts the result refers to; `where` names it in errors. Time and memory are
// proportional to its length. Errors: corrupt_data (it ends early, takes what is not there, or puts together
// what does not fit); unsupported, by its name, for an instruction or a name beyond those that tensors need;
// limit_exceeded above 16 MiB or some 100,000 tensors.
Pickle run_pickle(std::span<const std::byte> bytes, const std::string& where);

}  // namespace moa
