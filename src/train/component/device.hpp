// Where tensors are, and what libtorch says when something fails.
#pragma once

#include <ATen/ATen.h>
#include <c10/util/Exception.h>

#include <exception>
#include <new>
#include <string>

#include <moa/error.hpp>

namespace moa::train {

// "cpu", "cuda", "cuda:1". Errors: invalid_argument for another name, unsupported if it is not there.
at::Device device_of(const std::string& name);

// What torch's own error is to a caller of moa.
Error as_moa_error(const c10::Error& error);

// Does `work`; whatever it throws is a moa::Error.
template <typename Work>
auto guarded(Work work) -> decltype(work()) {
  try {
    return work();
  } catch (const Error&) {
    throw;
  } catch (const c10::Error& error) {
    throw as_moa_error(error);
  } catch (const std::bad_alloc&) {
    throw Error(ErrorCode::limit_exceeded, "cannot train: out of memory");
  } catch (const std::exception& error) {
    throw Error(ErrorCode::internal, std::string("cannot train: ") + error.what());
  }
}

}  // namespace moa::train
