// PyTorch's files made byte by byte, so that tests can break them anywhere.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace moa::testing {

// `number` as little-endian bytes.
template <typename T>
std::string little(T number) {
  std::string bytes(sizeof(T), '\0');
  std::memcpy(bytes.data(), &number, sizeof(T));
  return bytes;
}

// A zip archive, entry by entry. Fields that a test wants to be wrong are set before `bytes`.
class ZipBuilder {
 public:
  ZipBuilder& add(std::string_view name, std::string_view content) {
    const auto size = static_cast<std::uint32_t>(content.size());
    const auto begin = static_cast<std::uint32_t>(files_.size());
    files_ += local_head(name, size);
    files_ += content;
    directory_ += "PK\x01\x02" + little<std::uint16_t>(20) + little<std::uint16_t>(20) +
                  little<std::uint16_t>(flags) + little<std::uint16_t>(method) + std::string(8, '\0') +
                  little(size) + little<std::uint32_t>(size + extra_size) +
                  little(static_cast<std::uint16_t>(name.size())) +
                  little(static_cast<std::uint16_t>(extra.size())) + std::string(10, '\0') +
                  little<std::uint32_t>(begin + extra_begin);
    directory_ += name;
    directory_ += extra;
    ++count_;
    return *this;
  }

  std::string bytes() const {
    const auto begin = static_cast<std::uint32_t>(files_.size());
    return files_ + directory_ + "PK\x05\x06" + std::string(4, '\0') + little(count_) +
           little<std::uint16_t>(static_cast<std::uint16_t>(count_ + extra_count)) +
           little(static_cast<std::uint32_t>(directory_.size())) +
           little<std::uint32_t>(begin + extra_directory) +
           little(static_cast<std::uint16_t>(comment.size())) + comment;
  }

  std::uint16_t flags = 0;
  std::uint16_t method = 0;
  std::uint32_t extra_size = 0;       // added to the size that the directory states
  std::uint32_t extra_begin = 0;      // to where it says that the entry is
  std::uint16_t extra_count = 0;      // to the number of entries
  std::uint32_t extra_directory = 0;  // to where the directory is
  std::string extra;                  // a field behind a name
  std::string comment;

 private:
  std::string local_head(std::string_view name, std::uint32_t size) const {
    return "PK\x03\x04" + little<std::uint16_t>(20) + little<std::uint16_t>(flags) +
           little<std::uint16_t>(method) + std::string(8, '\0') + little(size) + little(size) +
           little(static_cast<std::uint16_t>(name.size())) + little<std::uint16_t>(0) + std::string(name);
  }

  std::string files_;
  std::string directory_;
  std::uint16_t count_ = 0;
};

// A piece of a pickle that pushes a text, a small number, a tuple of numbers.
inline std::string pickled(std::string_view text) {
  return "X" + little(static_cast<std::uint32_t>(text.size())) + std::string(text);
}
inline std::string pickled(std::int32_t number) {
  return "J" + little(number);
}
template <typename... Numbers>
std::string pickled_tuple(Numbers... numbers) {
  return "(" + (std::string() + ... + pickled(numbers)) + "t";
}

// A tensor over the storage `key`; its parts as pieces of a pickle.
struct PickledTensorPieces {
  std::string type = "ctorch\nFloatStorage\n";
  std::string key = pickled("0");
  std::string elements = pickled(4);
  std::string offset = pickled(0);
  std::string extents = pickled_tuple(2, 2);
  std::string strides = pickled_tuple(2, 1);

  std::string bytes() const {
    return "ctorch._utils\n_rebuild_tensor_v2\n((" + pickled("storage") + type + key + pickled("cpu") +
           elements + "tQ" + offset + extents + strides + "\x89" + "ccollections\nOrderedDict\n)RtR";
  }
};

// A pickle of one value.
inline std::string pickle_of(std::string_view value) {
  return "\x80\x02" + std::string(value) + ".";
}

// A pickle of {name: value}, `value` being a piece of a pickle.
inline std::string pickled_dict(std::string_view name, std::string_view value) {
  return "}" + pickled(name) + std::string(value) + "s";
}

// An archive as torch.save writes it: a pickle, and one storage, "0", with `storage` in it.
inline std::string pytorch_file(std::string_view pickle, std::string_view storage) {
  return ZipBuilder().add("archive/data.pkl", pickle).add("archive/data/0", storage).bytes();
}

// One whole tensor of four f32, "w", in a state dict.
inline std::string pytorch_file_of(const PickledTensorPieces& tensor) {
  const float values[] = {1, 2, 3, 4};
  return pytorch_file(pickle_of(pickled_dict("w", tensor.bytes())),
                      {reinterpret_cast<const char*>(values), sizeof(values)});
}

}  // namespace moa::testing
