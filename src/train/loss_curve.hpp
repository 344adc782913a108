// The loss of a training as a drawing.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <utility>

namespace moa::train {

// An SVG file: every step's loss, thin, and its mean over a fiftieth of the steps around it, thick. Losses
// that are no numbers are left out; of more than 2,000 steps every n-th is drawn.
std::string draw_loss_curve(std::span<const std::pair<std::int64_t, double>> losses);

}  // namespace moa::train
