// How far to look: for every beginning of a text, how long a token that begins like it can be.
#pragma once

#include <algorithm>
#include <cstdint>
#include <string_view>
#include <vector>

namespace moa {

// Tokens are filed by their first two bytes.
class PrefixLengths {
 public:
  void add(std::string_view token) {
    if (token.empty()) return;
    std::uint32_t& longest = longest_[lead_of(token)];
    longest = std::max(longest, static_cast<std::uint32_t>(token.size()));
  }
  // The bytes of the longest token that can stand at the beginning of `text`, which is not empty; never more
  // than `text` has.
  std::size_t longest_at(std::string_view text) const {
    const std::size_t alone = longest_[static_cast<unsigned char>(text[0])];
    return std::min(text.size(), std::max<std::size_t>(alone, longest_[lead_of(text)]));
  }

 private:
  static std::size_t lead_of(std::string_view text) {
    const auto first = static_cast<unsigned char>(text[0]);
    return text.size() < 2 ? first
                           : first | static_cast<std::size_t>(static_cast<unsigned char>(text[1])) << 8;
  }

  std::vector<std::uint32_t> longest_ = std::vector<std::uint32_t>(1 << 16);
};

}  // namespace moa
