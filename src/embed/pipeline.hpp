// From inputs to vectors, in order, with flat memory.
#pragma once

#include <functional>
#include <span>

#include <moa/model.hpp>

#include "embed/loaded_model.hpp"

namespace moa {

// Inputs are cut into chunks; while the model runs on one chunk, the next is read and decoded on other
// threads, so at most two are in memory. Within a chunk, pictures and texts go through the model in passes of
// bounded work. Everything is delivered on the calling thread, in order.
EmbedReport embed_in_order(const LoadedModel& model, std::span<const Input> inputs,
                           const EmbedOptions& options, const std::function<void(Embedded)>& deliver);

}  // namespace moa
