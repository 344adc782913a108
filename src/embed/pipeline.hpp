// From inputs to vectors, in order, with flat memory.
#pragma once

#include <functional>
#include <span>
#include <vector>

#include <moa/model.hpp>

#include "embed/loaded_model.hpp"

namespace moa {

// Inputs are cut into chunks; while the model runs on one chunk, the next is read and decoded on other
// threads, so at most two are in memory. Within a chunk, pictures and texts go through the model in passes of
// bounded work. Everything is delivered on the calling thread, in order.
//
// `forward_pictures`, if given, stands in for LoadedModel::embed_images: it returns a row of numbers for each
// picture, as many as it likes, which are delivered as the picture's vector (cut to `options.dim`, if that is
// set).
using ForwardPictures = std::function<std::vector<float>(std::span<const PreparedImage> pictures)>;
EmbedReport embed_in_order(const LoadedModel& model, std::span<const Input> inputs,
                           const EmbedOptions& options, const std::function<void(Embedded)>& deliver,
                           const ForwardPictures& forward_pictures = {});

// The first `options.dim` numbers (0: all), back on the unit sphere unless `options.raw`. Error: corrupt_data
// if they are all 0 and were to go there.
std::vector<float> cut(std::span<const float> vector, const EmbedOptions& options);

}  // namespace moa
