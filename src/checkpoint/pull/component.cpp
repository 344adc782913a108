#include <string>
#include <type_traits>

#include "base/component.hpp"
#include "checkpoint/pull.hpp"
#include "pull/hub.hpp"

extern "C" MOA_API int moa_pull(const moa::PullRequest* request, moa::PullResult* result,
                                std::string* message) {
  return moa::without_exceptions(message, "cannot pull: out of memory",
                                 [&] { *result = moa::pull_from_hub(*request); });
}

static_assert(std::is_same_v<decltype(moa_pull), moa::PullFunction>);
