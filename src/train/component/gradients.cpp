#include "train/component/gradients.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <array>
#include <string>
#include <vector>

#include <moa/error.hpp>

namespace moa::train {
namespace {

// The sides of a batch, and where a loss wants their vectors.
struct BatchSide {
  Side TrainingBatch::*side;
  at::Tensor LossInput::*vectors;
};
constexpr std::array kSides{
    BatchSide{&TrainingBatch::first, &LossInput::first},
    BatchSide{&TrainingBatch::second, &LossInput::second},
    BatchSide{&TrainingBatch::negatives, &LossInput::negatives},
};

std::int64_t most_items(const TrainingBatch& batch) {
  std::int64_t most = 0;
  for (const BatchSide& of : kSides) most = std::max(most, items_of(batch.*of.side));
  return most;
}

void expect_items(std::int64_t found, std::int64_t expected, const char* what) {
  if (found == expected) return;
  throw Error(ErrorCode::shape_mismatch, std::string("cannot learn from a batch: found ") +
                                             std::to_string(found) + " " + what + ", expected " +
                                             std::to_string(expected));
}

// Texts of classes are nobody's partners.
void expect_partners(const TrainingBatch& batch) {
  if (batch.texts_a_class == 0)
    expect_items(items_of(batch.second), items_of(batch.first), "items on the second side");
}

// [begin, end) of each chunk.
template <typename Work>
void in_chunks(std::int64_t items, std::int64_t chunk, Work work) {
  for (std::int64_t begin = 0; begin < items; begin += chunk) work(begin, std::min(begin + chunk, items));
}

// The vectors of a side, without a graph; gradients are recorded of them.
at::Tensor without_graph(const Towers& towers, const Side& side, std::int64_t chunk) {
  const at::NoGradGuard no_graph;
  std::vector<at::Tensor> parts;
  in_chunks(items_of(side), chunk,
            [&](std::int64_t begin, std::int64_t end) { parts.push_back(towers.forward(side, begin, end)); });
  return at::cat(parts).requires_grad_(true);
}

}  // namespace

void LossOfBatch::add_facts(const TrainingBatch& batch, LossInput& input) const {
  const std::int64_t items = items_of(batch.first);
  input.teacher_first = towers.vectors(batch.teacher_first);
  input.teacher_second = towers.vectors(batch.teacher_second);
  for (const at::Tensor& teacher : {input.teacher_first, input.teacher_second}) {
    if (teacher.defined()) expect_items(teacher.size(0), items, "vectors of a teacher");
  }
  const auto numbers = [&](const std::vector<std::int64_t>& values, std::int64_t count, const char* what) {
    expect_items(static_cast<std::int64_t>(values.size()), count, what);
    const at::Tensor tensor = at::empty({count}, at::kLong);
    std::copy(values.begin(), values.end(), tensor.data_ptr<std::int64_t>());
    return tensor.to(input.first.device());
  };
  if (!batch.groups.empty()) input.groups = numbers(batch.groups, items, "groups");
  if (batch.texts_a_class > 0) input.classes = numbers(batch.classes, items, "classes");
  if (!batch.second_keys.empty()) input.second_keys = numbers(batch.second_keys, items, "keys of texts");
  if (!batch.negative_keys.empty())
    input.negative_keys = numbers(batch.negative_keys, items_of(batch.negatives), "keys of negatives");
  input.texts_a_class = batch.texts_a_class;
}

at::Tensor LossOfBatch::of_all(const LossInput& own) const {
  if (processes == nullptr) return total_loss(options, own, scale.now());
  return total_loss(options, gather(*processes, own), counted_once(*processes, scale.now()));
}

at::Tensor LossOfBatch::vectors(const Side& side) const {
  // The share of one process may be empty.
  return items_of(side) > 0 ? towers.forward(side) : towers.none();
}

double LossOfBatch::value(const TrainingBatch& batch) const {
  const at::NoGradGuard no_graph;
  expect_partners(batch);
  LossInput input;
  for (const BatchSide& of : kSides) input.*of.vectors = vectors(batch.*of.side);
  add_facts(batch, input);
  return of_all(input).item<double>();
}

// GradCache (Gao et al. 2021, arXiv 2101.06983): vectors without a graph; the loss, and its gradient with
// respect to them; then each chunk again, with a graph, backward from that gradient.
double LossOfBatch::backward(const TrainingBatch& batch, std::int64_t chunk_items) const {
  expect_partners(batch);
  if (items_of(batch.first) == 0 && processes == nullptr) {
    throw Error(ErrorCode::invalid_argument, "cannot learn from a batch: found no items");
  }
  const bool has_chunks = chunk_items > 0 && chunk_items < most_items(batch);
  LossInput input;
  for (const BatchSide& of : kSides) {
    const Side& side = batch.*of.side;
    input.*of.vectors =
        has_chunks && items_of(side) > 0 ? without_graph(towers, side, chunk_items) : vectors(side);
  }
  add_facts(batch, input);
  const at::Tensor loss = of_all(input);
  if (loss.requires_grad()) loss.backward();
  if (!has_chunks) return loss.item<double>();
  for (const BatchSide& of : kSides) {
    const Side& side = batch.*of.side;
    const at::Tensor gradient = (input.*of.vectors).grad();
    if (!gradient.defined()) continue;
    in_chunks(items_of(side), chunk_items, [&](std::int64_t begin, std::int64_t end) {
      const at::Tensor part = towers.forward(side, begin, end);
      if (part.requires_grad()) part.backward(gradient.narrow(0, begin, end - begin));
    });
  }
  return loss.item<double>();
}

}  // namespace moa::train
