#include "checkpoint/pytorch_file.hpp"

#include <cstdint>
#include <map>
#include <string_view>
#include <utility>

#include <moa/error.hpp>

#include "base/checked.hpp"
#include "checkpoint/pickle.hpp"
#include "checkpoint/state_dict.hpp"
#include "checkpoint/zip_archive.hpp"

namespace moa {
namespace {

[[noreturn]] void corrupt(const std::string& where, const std::string& found) {
  throw Error(ErrorCode::corrupt_data, "cannot read " + where + " as weights of PyTorch: " + found);
}
[[noreturn]] void refuse(const std::string& where, const std::string& found) {
  throw Error(ErrorCode::unsupported, "cannot read " + where + " as weights of PyTorch: " + found);
}

// The formats before 1.6: a sequence of pickles, the first of them a magic number; before that, a tar.
bool is_legacy(std::span<const std::byte> file) {
  constexpr std::string_view kMagicPickle = "\x80\x02\x8A\x0A\x6C\xFC\x9C\x46\xF9\x20\x6A\xA8\x50\x19.";
  constexpr std::size_t kTarMark = 257;
  const std::string_view text = as_text(file);
  return text.starts_with(kMagicPickle) ||
         (text.size() > kTarMark && text.substr(kTarMark).starts_with("ustar"));
}

// The folder, the same in all names of an archive, in which its pickle is.
std::string root_of(const ZipArchive& archive, const std::string& where) {
  constexpr std::string_view kPickle = "/data.pkl";
  std::string root;
  for (const std::string_view name : archive.names()) {
    if (!name.ends_with(kPickle)) continue;
    const std::string_view folder = name.substr(0, name.size() - kPickle.size());
    if (folder.find('/') != std::string_view::npos) continue;
    if (!root.empty())
      corrupt(where, "found two pickles, '" + root + "data.pkl' and '" + std::string(name) + "'");
    root = std::string(folder) + "/";
  }
  if (root.empty()) corrupt(where, "found an archive without data.pkl");
  return root;
}

// Bytes of storages by the name of their entry.
class Storages {
 public:
  Storages(const ZipArchive& archive, std::string root, const std::string& where)
      : archive_(archive), root_(std::move(root)), where_(where) {}

  std::span<const std::byte> bytes_of(const PickledStorage& storage) {
    const auto found = bytes_.find(storage.key);
    const std::span<const std::byte> bytes = found != bytes_.end() ? found->second : look_up(storage.key);
    const std::uint64_t needed = checked_multiply(storage.elements, storage.type->bytes, where_.c_str());
    if (bytes.size() < needed) {
      corrupt(where_, "the storage '" + std::string(storage.key) + "' has " + std::to_string(bytes.size()) +
                          " bytes, expected " + std::to_string(storage.elements) + " elements of " +
                          std::string(storage.type->name));
    }
    return bytes.first(needed);
  }

 private:
  std::span<const std::byte> look_up(std::string_view key) {
    const std::string name = root_ + "data/" + std::string(key);
    const auto bytes = archive_.find(name);
    if (!bytes) corrupt(where_, "its storage '" + name + "' is missing");
    bytes_.emplace(key, *bytes);
    return *bytes;
  }

  const ZipArchive& archive_;
  std::string root_;
  const std::string& where_;
  std::map<std::string_view, std::span<const std::byte>> bytes_;
};

bool is_row_major(const PickledTensor& tensor) {
  std::int64_t expected = 1;
  for (std::size_t axis = tensor.extents.size(); axis-- > 0;) {
    if (tensor.extents[axis] != 1 && tensor.strides[axis] != expected) return false;
    expected *= tensor.extents[axis];
  }
  return true;
}

// How many elements of its storage a tensor spans, from its first to its last.
std::uint64_t spanned_elements(const PickledTensor& tensor, const std::string& where) {
  std::uint64_t last = 0;
  for (std::size_t axis = 0; axis < tensor.extents.size(); ++axis) {
    if (tensor.extents[axis] == 0) return 0;
    const std::uint64_t steps =
        checked_multiply(static_cast<std::uint64_t>(tensor.extents[axis] - 1),
                         static_cast<std::uint64_t>(tensor.strides[axis]), where.c_str());
    last = checked_add(last, steps, where.c_str());
  }
  return checked_add(last, 1, where.c_str());
}

StoredTensor stored_tensor(NamedTensor named, Storages& storages, const std::string& where) {
  const PickledTensor& tensor = *named.tensor;
  const StorageType& type = *tensor.storage.type;
  StoredTensor stored;
  stored.name = std::move(named.name);
  stored.stored_type = type.name;
  stored.dtype = type.dtype;
  stored.shape = Shape(tensor.extents);
  const auto elements = static_cast<std::uint64_t>(stored.shape.elements());
  const std::uint64_t spanned = spanned_elements(tensor, where);
  if (tensor.offset > tensor.storage.elements || spanned > tensor.storage.elements - tensor.offset) {
    corrupt(where, "tensor '" + stored.name + "' takes elements " + std::to_string(tensor.offset) + " to " +
                       std::to_string(tensor.offset + spanned) + " of a storage of " +
                       std::to_string(tensor.storage.elements));
  }
  // What memory a checkpoint may ask for is bounded by its files.
  if (elements > spanned) {
    refuse(where, "tensor '" + stored.name + "' repeats its elements: found " + to_string(stored.shape) +
                      " over " + std::to_string(spanned) + " elements; save it contiguous");
  }
  stored.bytes = storages.bytes_of(tensor.storage).subspan(tensor.offset * type.bytes, spanned * type.bytes);
  if (elements > 0 && !is_row_major(tensor)) stored.strides = tensor.strides;
  return stored;
}

}  // namespace

std::vector<StoredTensor> parse_pytorch(std::span<const std::byte> file, const std::string& where) {
  if (!ZipArchive::begins(file)) {
    if (is_legacy(file)) {
      refuse(where,
             "found a format older than PyTorch 1.6; resave it: "
             "torch.save(torch.load(FILE, map_location='cpu'), FILE)");
    }
    corrupt(where, "found no zip archive");
  }
  const ZipArchive archive = ZipArchive::parse(file, where);
  const std::string root = root_of(archive, where);
  if (const auto order = archive.find(root + "byteorder"); order && as_text(*order) != "little") {
    refuse(where, "found byte order '" + std::string(as_text(*order).substr(0, 16)) + "', expected 'little'");
  }
  const std::string pickle_name = root + "data.pkl in " + where;
  const Pickle pickle = run_pickle(*archive.find(root + "data.pkl"), pickle_name);
  Storages storages(archive, root, where);
  std::vector<StoredTensor> tensors;
  for (NamedTensor& named : tensors_of(pickle, pickle_name)) {
    tensors.push_back(stored_tensor(std::move(named), storages, where));
  }
  return tensors;
}

PytorchFile PytorchFile::open(const std::filesystem::path& path) {
  MappedFile file = MappedFile::open(path);
  std::vector<StoredTensor> tensors = parse_pytorch(file.bytes(), "'" + path.string() + "'");
  return {std::move(file), std::move(tensors)};
}

}  // namespace moa
