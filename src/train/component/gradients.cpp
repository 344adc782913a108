#include "train/component/gradients.hpp"

#include <ATen/core/grad_mode.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include <moa/error.hpp>

namespace moa::train {
namespace {

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

LossInput LossOfBatch::around(const TrainingBatch& batch, at::Tensor first, at::Tensor second) const {
  LossInput input;
  input.teacher_first = towers.vectors(batch.teacher_first);
  input.teacher_second = towers.vectors(batch.teacher_second);
  for (const at::Tensor& teacher : {input.teacher_first, input.teacher_second}) {
    if (teacher.defined()) expect_items(teacher.size(0), first.size(0), "vectors of a teacher");
  }
  const auto numbers = [&](const std::vector<std::int64_t>& values, const char* what) {
    expect_items(static_cast<std::int64_t>(values.size()), first.size(0), what);
    const at::Tensor tensor = at::empty({first.size(0)}, at::kLong);
    std::copy(values.begin(), values.end(), tensor.data_ptr<std::int64_t>());
    return tensor.to(first.device());
  };
  if (!batch.groups.empty()) input.groups = numbers(batch.groups, "groups");
  if (batch.texts_a_class > 0) input.classes = numbers(batch.classes, "classes");
  input.texts_a_class = batch.texts_a_class;
  input.first = std::move(first);
  input.second = std::move(second);
  return input;
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
  return of_all(around(batch, vectors(batch.first), vectors(batch.second))).item<double>();
}

// GradCache (Gao et al. 2021, arXiv 2101.06983): vectors without a graph; the loss, and its gradient with
// respect to them; then each chunk again, with a graph, backward from that gradient.
double LossOfBatch::backward(const TrainingBatch& batch, std::int64_t chunk_items) const {
  const std::int64_t items = items_of(batch.first);
  expect_partners(batch);
  if (items == 0 && processes == nullptr) {
    throw Error(ErrorCode::invalid_argument, "cannot learn from a batch: found no items");
  }
  const bool has_chunks = chunk_items > 0 && chunk_items < std::max(items, items_of(batch.second));
  const auto forward = [&](const Side& side) {
    return has_chunks && items_of(side) > 0 ? without_graph(towers, side, chunk_items) : vectors(side);
  };
  const at::Tensor first = forward(batch.first);
  const at::Tensor second = forward(batch.second);
  const at::Tensor loss = of_all(around(batch, first, second));
  if (loss.requires_grad()) loss.backward();
  if (!has_chunks) return loss.item<double>();
  const auto through = [&](const Side& side, const at::Tensor& gradient) {
    if (!gradient.defined()) return;
    in_chunks(items_of(side), chunk_items, [&](std::int64_t begin, std::int64_t end) {
      const at::Tensor part = towers.forward(side, begin, end);
      if (part.requires_grad()) part.backward(gradient.narrow(0, begin, end - begin));
    });
  };
  through(batch.first, first.grad());
  through(batch.second, second.grad());
  return loss.item<double>();
}

}  // namespace moa::train
