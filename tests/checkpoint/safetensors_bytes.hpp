// Safetensors files made byte by byte, so that tests can break them anywhere.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <vector>

namespace moa::testing {

// Length, header and data as they are given, however wrong.
inline std::string safetensors_bytes(std::string_view header, std::string_view data = "") {
  std::string file(8, '\0');
  const std::uint64_t length = header.size();
  std::memcpy(file.data(), &length, sizeof(length));
  return file.append(header).append(data);
}

// A well-formed file, tensor by tensor.
class SafetensorsBuilder {
 public:
  SafetensorsBuilder& add(std::string_view name, std::string_view dtype, std::string_view shape,
                          std::string_view bytes) {
    header_ += (header_.empty() ? "\"" : ",\"") + std::string(name) + R"(":{"dtype":")" + std::string(dtype) +
               R"(","shape":)" + std::string(shape) + R"(,"data_offsets":[)" + std::to_string(data_.size()) +
               "," + std::to_string(data_.size() + bytes.size()) + "]}";
    data_ += bytes;
    return *this;
  }
  template <typename T>
  SafetensorsBuilder& add(std::string_view name, std::string_view dtype, std::string_view shape,
                          const std::vector<T>& values) {
    return add(name, dtype, shape,
               std::string_view(reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)));
  }
  std::string bytes() const { return safetensors_bytes("{" + header_ + "}", data_); }

 private:
  std::string header_;
  std::string data_;
};

}  // namespace moa::testing
