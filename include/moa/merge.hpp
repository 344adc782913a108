// Merging: one model out of two.
#pragma once

#include <atomic>
#include <filesystem>
#include <string_view>

#include <moa/export.hpp>

namespace moa {

// Writes a model between two of the same architecture and sizes: every weight is (1 - share) of `base`'s and
// `share` of `tuned`'s. Between a model and what it became by fine-tuning lie models that are better than
// either where pictures differ from those of the tuning (WiSE-FT: Wortsman et al. 2022, arXiv 2109.01903; 0.5
// is the choice without looking).
//
// A tensor keeps its type if both models agree on it, and is f32 otherwise, as are tensors in 4 or 8 bits.
// With share 0 the weights have the values of `base`, with 1 those of `tuned`, exactly. Everything beside the
// weights is `base`'s. The directory appears whole or not at all. Errors: invalid_argument (a share outside
// [0, 1], `directory` is there already), model_mismatch (tensors that only one has, or of other shapes:
// listed), out_of_range (a weight that is not a number), io_error, cancelled (once `*cancelled` is true);
// those of Model::load.
MOA_API void interpolate(std::string_view base, std::string_view tuned, double share,
                         const std::filesystem::path& directory,
                         const std::atomic<bool>* cancelled = nullptr);

// Writes `base` with `share` of an adapter (LoadOptions::adapter) added to its weights, for programs that
// know no adapters: 1 is the adapter as it was learned, 0 is `base`. The matrices that the adapter sits on
// become f32; everything else is `base`'s. The directory appears whole or not at all. Errors:
// invalid_argument (a share outside [0, 1], `directory` is there already), out_of_range (a sum that is not a
// number), io_error, cancelled; those of Model::load with an adapter.
MOA_API void merge_adapter(std::string_view base, const std::filesystem::path& adapter, double share,
                           const std::filesystem::path& directory,
                           const std::atomic<bool>* cancelled = nullptr);

}  // namespace moa
