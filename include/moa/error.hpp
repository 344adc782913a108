// moa::Error: the one exception of this library, and the closed table of its codes.
#pragma once

#include <stdexcept>
#include <string>
#include <string_view>

#include <moa/export.hpp>

namespace moa {

// Why something failed. The table is closed: the command's exit code, the HTTP status and the Python class
// all come from it.
enum class ErrorCode {
  invalid_argument,  // wrong use: an unknown option, a value outside its documented range
  not_found,         // a file, a model, an item that is not there
  corrupt_data,      // bytes that are not what they claim to be
  unsupported,       // well-formed, but nothing that moa can do
  shape_mismatch,    // sizes that contradict each other
  out_of_range,      // an index or id outside what it indexes
  limit_exceeded,    // larger than a stated limit, or no memory for it
  overloaded,        // too much work at once; may be tried again
  cancelled,         // interrupted by the caller
  io_error,          // the operating system refused to read or write
  model_mismatch,    // vectors or files that belong to another model
  internal,          // a defect of moa
};

// The code's name as it appears in output, e.g. "corrupt_data".
MOA_API std::string_view name(ErrorCode code) noexcept;
// The command's exit code for it (0 is success, 3 is "some inputs failed" and belongs to no code).
MOA_API int exit_code(ErrorCode code) noexcept;

// what() says what was attempted, what was found, what was expected and where.
class MOA_API Error : public std::runtime_error {
 public:
  Error(ErrorCode code, const std::string& message) : std::runtime_error(message), code_(code) {}
  ErrorCode code() const noexcept { return code_; }

 private:
  ErrorCode code_;
};

}  // namespace moa
