// What makes the steps of several processes, each with its share of a batch, one step on all of it.
#pragma once

#include <vector>

#include "train/component/adamw.hpp"
#include "train/component/losses.hpp"
#include "train/component/process_group.hpp"

namespace moa::train {

// The vectors, groups, classes, negatives and teachers of all processes. A loss of them is the whole batch's,
// in every process, and its gradient with respect to one's own vectors is exact: whatever the loss, nothing
// has to be sent back.
LossInput gather(const ProcessGroup& processes, const LossInput& own);
// Its numbers act on the loss in every process alike: only process 0 keeps their gradients.
ScoreScale counted_once(const ProcessGroup& processes, const ScoreScale& scale);
// The sum over all processes of what each has: the gradient of the whole batch. What has no gradient anywhere
// keeps none.
void sum_gradients(const ProcessGroup& processes, std::vector<LearnedTensor>& tensors);
// Weights and moments become those of process 0, and `steps`. Error: model_mismatch if the processes do not
// learn as many tensors and numbers.
void share(const ProcessGroup& processes, std::vector<LearnedTensor>& tensors, std::int64_t& steps);

}  // namespace moa::train
