#include "train/pair_source.hpp"

#include <moa/error.hpp>

namespace moa::train {

void PairStream::skip(std::uint64_t count) {
  for (std::uint64_t i = 0; i < count; ++i) {
    try {
      if (!next()) return;
    } catch (const Error&) {  // it was told when it was met first
    }
  }
}

}  // namespace moa::train
