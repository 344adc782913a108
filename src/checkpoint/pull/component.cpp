#include <exception>
#include <new>
#include <string>
#include <type_traits>

#include <moa/error.hpp>

#include "checkpoint/pull.hpp"
#include "pull/hub.hpp"

extern "C" MOA_API int moa_pull(const moa::PullRequest* request, moa::PullResult* result,
                                std::string* message) {
  const auto failed = [&](moa::ErrorCode code, const char* what) {
    *message = what;
    return static_cast<int>(code) + 1;
  };
  try {
    *result = moa::pull_from_hub(*request);
    return 0;
  } catch (const moa::Error& error) {
    return failed(error.code(), error.what());
  } catch (const std::bad_alloc&) {
    return failed(moa::ErrorCode::limit_exceeded, "cannot pull: out of memory");
  } catch (const std::exception& error) {
    return failed(moa::ErrorCode::internal, error.what());
  }
}

static_assert(std::is_same_v<decltype(moa_pull), moa::PullFunction>);
