#include "checkpoint/pull.hpp"

#include <utility>

#include "base/component.hpp"

namespace moa {

PullRequest PullRequest::from(HubId id, const Environment& environment) {
  PullRequest request;
  request.id = std::move(id);
  request.cache = hub_cache_directory(environment);
  if (const auto endpoint = environment("HF_ENDPOINT"); endpoint && !endpoint->empty()) {
    request.endpoint = *endpoint;
  }
  request.token = environment("HF_TOKEN").value_or("");
  return request;
}

PullResult pull(const PullRequest& request) {
  const Component component = Component::open(kPullComponent);
  PullResult result;
  std::string message;
  const int code = component.function<PullFunction>(kPullFunction)(&request, &result, &message);
  throw_failure(code, message);
  return result;
}

}  // namespace moa
