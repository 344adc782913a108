// A safetensors file is: the header's length (8 bytes, little-endian), the header (a JSON object of
// {"dtype", "shape", "data_offsets"} by tensor name, and "__metadata__"), and the tensors' bytes.
#include <simdjson.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <tuple>
#include <utility>

#include <moa/error.hpp>

#include "base/checked.hpp"
#include "checkpoint/safetensors.hpp"

namespace moa {
namespace {

static_assert(std::endian::native == std::endian::little, "safetensors are read in place");

// About 100,000 tensors. The parser needs up to 20 bytes of memory for each byte of header.
constexpr std::uint64_t kMaxHeaderBytes = 16u << 20;
constexpr std::size_t kMaxDepth = 8;  // the format needs 3
constexpr std::size_t kMaxAxes = 16;
constexpr std::uint64_t kLengthBytes = 8;

struct ElementType {
  std::string_view name;
  std::uint64_t bits;
  std::optional<DType> dtype;
};

constexpr std::array kElementTypes = {
    ElementType{"F32", 32, DType::f32},
    ElementType{"F16", 16, DType::f16},
    ElementType{"BF16", 16, DType::bf16},
    ElementType{"F64", 64, DType::f64},
    ElementType{"I64", 64, DType::i64},
    ElementType{"I32", 32, DType::i32},
    ElementType{"U8", 8, DType::u8},
    ElementType{"BOOL", 8, DType::u8},
    ElementType{"I8", 8, {}},
    ElementType{"I16", 16, {}},
    ElementType{"U16", 16, {}},
    ElementType{"U32", 32, {}},
    ElementType{"U64", 64, {}},
    ElementType{"C64", 64, {}},
    ElementType{"F8_E4M3", 8, {}},
    ElementType{"F8_E5M2", 8, {}},
    ElementType{"F8_E8M0", 8, {}},
    ElementType{"F6_E2M3", 6, {}},
    ElementType{"F6_E3M2", 6, {}},
    ElementType{"F4", 4, {}},
};

[[noreturn]] void corrupt(const std::string& where, const std::string& found) {
  throw Error(ErrorCode::corrupt_data, "cannot read " + where + " as safetensors: " + found);
}

// One entry of the header, before its bytes are known to be there.
struct Entry {
  StoredTensor tensor;
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
};

class HeaderReader {
 public:
  HeaderReader(const std::string& where, std::uint64_t data_bytes) : where_(where), data_bytes_(data_bytes) {}

  std::vector<Entry> read(std::string_view json, std::map<std::string, std::string>* metadata) {
    simdjson::dom::parser parser;
    simdjson::dom::object root;
    // allocate() before parse() is how the parser is told its depth limit.
    simdjson::error_code error = parser.allocate(json.size(), kMaxDepth);
    if (!error) error = parser.parse(json.data(), json.size()).get(root);
    if (error) corrupt(where_, std::string("its header is not a JSON object: ") + error_message(error));
    std::vector<Entry> entries;
    entries.reserve(root.size());
    for (const auto field : root) {
      if (field.key == "__metadata__") {
        read_metadata(field.value, metadata);
      } else {
        entries.push_back(read_entry(field.key, field.value));
      }
    }
    return entries;
  }

 private:
  [[noreturn]] void corrupt_tensor(std::string_view name, const std::string& found) const {
    constexpr std::size_t kShown = 200;
    corrupt(where_, "tensor '" + std::string(name.substr(0, kShown)) + "': " + found);
  }

  void read_metadata(const simdjson::dom::element& value, std::map<std::string, std::string>* into) {
    if (std::exchange(has_metadata_, true)) corrupt(where_, "'__metadata__' stands twice");
    simdjson::dom::object metadata;
    if (value.get(metadata)) corrupt(where_, "'__metadata__' is not an object");
    for (const auto field : metadata) {
      std::string_view text;
      if (field.value.get(text)) corrupt(where_, "'__metadata__' holds something that is not a text");
      if (into != nullptr) into->insert_or_assign(std::string(field.key), std::string(text));
    }
  }

  Entry read_entry(std::string_view name, const simdjson::dom::element& value) const {
    simdjson::dom::object fields;
    if (value.get(fields)) corrupt_tensor(name, "its entry is not an object");
    Entry entry;
    entry.tensor.name = name;
    const ElementType* type = nullptr;
    bool has_shape = false;
    bool has_offsets = false;
    for (const auto field : fields) {
      if (field.key == "dtype" && type == nullptr) {
        type = &read_type(name, field.value);
      } else if (field.key == "shape" && !has_shape) {
        entry.tensor.shape = Shape(read_extents(name, field.value));
        has_shape = true;
      } else if (field.key == "data_offsets" && !has_offsets) {
        std::tie(entry.begin, entry.end) = read_offsets(name, field.value);
        has_offsets = true;
      } else {
        corrupt_tensor(name, "unexpected or repeated field '" + std::string(field.key) + "'");
      }
    }
    if (type == nullptr || !has_shape || !has_offsets) {
      corrupt_tensor(name, "'dtype', 'shape' or 'data_offsets' is missing");
    }
    entry.tensor.stored_type = type->name;
    entry.tensor.dtype = type->dtype;
    check_size(entry, *type);
    return entry;
  }

  const ElementType& read_type(std::string_view name, const simdjson::dom::element& value) const {
    std::string_view spelling;
    if (value.get(spelling)) corrupt_tensor(name, "'dtype' is not a text");
    const auto* type = std::ranges::find(kElementTypes, spelling, &ElementType::name);
    if (type == kElementTypes.end()) corrupt_tensor(name, "unknown dtype '" + std::string(spelling) + "'");
    return *type;
  }

  std::vector<std::int64_t> read_extents(std::string_view name, const simdjson::dom::element& value) const {
    simdjson::dom::array numbers;
    if (value.get(numbers)) corrupt_tensor(name, "'shape' is not a list");
    if (numbers.size() > kMaxAxes) corrupt_tensor(name, "'shape' has more than 16 axes");
    std::vector<std::int64_t> extents;
    extents.reserve(numbers.size());
    for (const auto number : numbers) {
      std::int64_t extent = -1;
      if (number.get(extent) || extent < 0) corrupt_tensor(name, "'shape' holds something else than sizes");
      extents.push_back(extent);
    }
    return extents;
  }

  std::pair<std::uint64_t, std::uint64_t> read_offsets(std::string_view name,
                                                       const simdjson::dom::element& value) const {
    simdjson::dom::array numbers;
    std::uint64_t begin = 0;
    std::uint64_t end = 0;
    if (value.get(numbers) || numbers.size() != 2 || numbers.at(0).get(begin) || numbers.at(1).get(end)) {
      corrupt_tensor(name, "'data_offsets' is not a pair of sizes");
    }
    if (begin > end || end > data_bytes_) {
      corrupt_tensor(name, "found bytes " + std::to_string(begin) + " to " + std::to_string(end) +
                               ", expected them within the " + std::to_string(data_bytes_) +
                               " bytes behind the header");
    }
    return {begin, end};
  }

  void check_size(const Entry& entry, const ElementType& type) const {
    const auto elements = static_cast<std::uint64_t>(entry.tensor.shape.elements());
    const std::uint64_t bits = checked_multiply(elements, type.bits, "a tensor of a safetensors file");
    if (bits % 8 != 0 || bits / 8 != entry.end - entry.begin) {
      corrupt_tensor(entry.tensor.name, "found " + std::to_string(entry.end - entry.begin) +
                                            " bytes, expected " + to_string(entry.tensor.shape) + " of " +
                                            std::string(type.name));
    }
  }

  const std::string& where_;
  std::uint64_t data_bytes_;
  bool has_metadata_ = false;
};

void check_names_differ(const std::vector<Entry>& entries, const std::string& where) {
  std::vector<std::string_view> names;
  names.reserve(entries.size());
  for (const Entry& entry : entries) names.push_back(entry.tensor.name);
  std::ranges::sort(names);
  const auto twice = std::ranges::adjacent_find(names);
  if (twice != names.end()) corrupt(where, "tensor '" + std::string(*twice) + "' stands twice");
}

// Sorts by place, and makes sure that every byte belongs to exactly one tensor: no overlap and no hole in
// which something could hide.
void check_bytes_are_shared_out(std::vector<Entry>& entries, std::uint64_t data_bytes,
                                const std::string& where) {
  std::ranges::sort(entries, {}, [](const Entry& entry) { return std::pair(entry.begin, entry.end); });
  std::uint64_t at = 0;
  for (const Entry& entry : entries) {
    if (entry.begin != at) {
      corrupt(where, "tensor '" + entry.tensor.name + "' begins at byte " + std::to_string(entry.begin) +
                         ", expected " + std::to_string(at) + ", where the one before it ends");
    }
    at = entry.end;
  }
  if (at != data_bytes) {
    corrupt(where, "its tensors end at byte " + std::to_string(at) + " of " + std::to_string(data_bytes));
  }
}

}  // namespace

std::vector<StoredTensor> parse_safetensors(std::span<const std::byte> file, const std::string& where,
                                            std::map<std::string, std::string>* metadata) {
  std::uint64_t header_bytes = 0;
  if (file.size() < kLengthBytes) corrupt(where, "found " + std::to_string(file.size()) + " bytes");
  std::memcpy(&header_bytes, file.data(), kLengthBytes);
  if (header_bytes > file.size() - kLengthBytes) {
    corrupt(where, "found a header of " + std::to_string(header_bytes) + " bytes in a file of " +
                       std::to_string(file.size()));
  }
  if (header_bytes > kMaxHeaderBytes) {
    throw Error(ErrorCode::limit_exceeded, "cannot read " + where + ": found a header of " +
                                               std::to_string(header_bytes) +
                                               " bytes, expected at most 16 MiB");
  }
  const std::string_view header = as_text(file.subspan(kLengthBytes, header_bytes));
  if (!header.starts_with('{')) corrupt(where, "its header does not begin with '{'");
  const std::span<const std::byte> data = file.subspan(kLengthBytes + header_bytes);

  std::vector<Entry> entries = HeaderReader(where, data.size()).read(header, metadata);
  check_names_differ(entries, where);
  check_bytes_are_shared_out(entries, data.size(), where);

  std::vector<StoredTensor> tensors;
  tensors.reserve(entries.size());
  for (Entry& entry : entries) {
    entry.tensor.bytes = data.subspan(entry.begin, entry.end - entry.begin);
    tensors.push_back(std::move(entry.tensor));
  }
  return tensors;
}

SafetensorsFile SafetensorsFile::open(const std::filesystem::path& path) {
  MappedFile file = MappedFile::open(path);
  std::map<std::string, std::string> metadata;
  std::vector<StoredTensor> tensors = parse_safetensors(file.bytes(), "'" + path.string() + "'", &metadata);
  SafetensorsFile opened(std::move(file), std::move(tensors));
  opened.metadata_ = std::move(metadata);
  return opened;
}

}  // namespace moa
