// What the components that decode pictures say when they cannot.
#pragma once

#include <algorithm>
#include <cstring>
#include <string_view>

#include <moa/error.hpp>

#include "image/codec.hpp"

namespace moa {

// Fills `failure`; a message too long for it is cut.
inline void fill(CodecFailure* failure, ErrorCode code, std::string_view message) {
  failure->code = static_cast<std::int32_t>(code);
  const std::size_t length = std::min(message.size(), sizeof failure->message - 1);
  std::memcpy(failure->message, message.data(), length);
  failure->message[length] = '\0';
}

}  // namespace moa
