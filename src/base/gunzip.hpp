// Unpacking gzip.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace moa {

// The content of the gzip file `packed`; `where` names it in errors. Errors: corrupt_data if it is none or is
// damaged; limit_exceeded if it unpacks to more than `max_bytes`.
std::string gunzip(std::string_view packed, std::uint64_t max_bytes, const std::string& where);

}  // namespace moa
