#include <moa/hub.hpp>

#include <utility>

#include <moa/error.hpp>

#include "checkpoint/model_search.hpp"
#include "checkpoint/pull.hpp"

namespace moa {

std::vector<InstalledModel> installed_models() {
  std::vector<InstalledModel> models;
  for (AvailableModel& model : available_models(ModelSearch::standard())) {
    models.push_back({std::move(model.name), std::move(model.path), model.bundled});
  }
  return models;
}

PullResult pull(std::string_view name, const PullOptions& options) {
  const std::optional<HubId> id = HubId::parse(name);
  if (!id) {
    throw Error(ErrorCode::invalid_argument,
                "cannot pull '" + std::string(name) + "': expected ORG/NAME or ORG/NAME@REVISION");
  }
  PullRequest request = PullRequest::from(*id, process_environment());
  if (options.endpoint) request.endpoint = *options.endpoint;
  if (options.token) request.token = *options.token;
  request.progress = options.progress;
  request.cancelled = options.cancelled;
  return pull(request);
}

}  // namespace moa
