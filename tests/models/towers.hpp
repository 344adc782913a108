// The networks inside a golden model's towers, for tests that look at them layer by layer.
#pragma once

#include "models/golden.hpp"
#include "models/two_towers.hpp"

namespace moa {

template <typename Network>
const Network& text_network(const Golden& golden) {
  const auto& towers = dynamic_cast<const TwoTowers&>(*golden.model);
  return dynamic_cast<const TextTowerOf<Network>&>(towers.text_tower()).network();
}

template <typename Network>
const Network& image_network(const Golden& golden) {
  const auto& towers = dynamic_cast<const TwoTowers&>(*golden.model);
  return dynamic_cast<const ImageTowerOf<Network>&>(towers.image_tower()).network();
}

}  // namespace moa
