#include "backends/torch/interpreter.hpp"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include <moa/error.hpp>

#include "tensor/checks.hpp"

namespace moa {

namespace {

template <typename Seen, typename Tag>
const Seen& behind(const Handle<Tag>& handle) {
  const auto* value = dynamic_cast<const Seen*>(handle.value().get());
  if (value == nullptr) {
    throw Error(ErrorCode::internal, "a value of another interpreter was given to the torch one");
  }
  return *value;
}

void expect_size(std::size_t found, std::int64_t expected, const char* what) {
  if (static_cast<std::int64_t>(found) == expected) return;
  throw Error(ErrorCode::shape_mismatch, std::string("cannot take ") + what + ": found " +
                                             std::to_string(found) + ", expected " +
                                             std::to_string(expected));
}

at::Tensor copy_of(std::span<const float> values, at::IntArrayRef sizes) {
  const at::Tensor copy = at::empty(sizes, at::kFloat);
  std::copy(values.begin(), values.end(), copy.data_ptr<float>());
  return copy;
}

}  // namespace

TorchInterpreter::TorchInterpreter(torch::TorchWeights& weights, Precision precision)
    : weights_(weights), precision_(precision) {
  if (precision == Precision::int8) {
    throw Error(ErrorCode::unsupported, "cannot compute with gradients in int8: expected f32 or bf16");
  }
}

const torch::RowsValue& TorchInterpreter::see(const Rows& x) {
  return behind<RowsValue>(x);
}
const torch::TensorValue& TorchInterpreter::see(const Tensor& x) {
  return behind<TensorValue>(x);
}
const torch::TokensValue& TorchInterpreter::see(const Tokens& x) {
  return behind<TokensValue>(x);
}
const torch::PatchesValue& TorchInterpreter::see(const Patches& x) {
  return behind<torch::PatchesValue>(x);
}

Rows TorchInterpreter::rows(at::Tensor box, const Sequences& sequences) {
  auto value = std::make_shared<RowsValue>();
  value->box = std::move(box);
  value->sequences = sequences;
  return Rows(std::move(value));
}

Tensor TorchInterpreter::tensor(at::Tensor box) {
  auto value = std::make_shared<TensorValue>();
  value->box = std::move(box);
  return Tensor(std::move(value));
}

// ---- inputs and outputs

Tokens TorchInterpreter::tokens(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                                const Sequences& sequences) {
  expect_size(ids.size(), sequences.rows(), "token ids");
  if (!types.empty()) expect_size(types.size(), sequences.rows(), "token types");
  auto value = std::make_shared<TokensValue>();
  value->ids.assign(ids.begin(), ids.end());
  value->types.assign(types.begin(), types.end());
  value->sequences = sequences;
  return Tokens(std::move(value));
}

Tensor TorchInterpreter::pixels(std::span<const float> values, std::int64_t batch, std::int64_t channels,
                                std::int64_t height_px, std::int64_t width_px) {
  expect_size(values.size(), batch * channels * height_px * width_px, "pixels");
  auto value = std::make_shared<TensorValue>();
  value->box = to_device(copy_of(values, {batch, channels, height_px, width_px}));
  value->is_pixels = true;
  return Tensor(std::move(value));
}

Patches TorchInterpreter::patches(std::span<const float> values, std::int64_t width,
                                  std::span<const PatchGrid> grids) {
  const Sequences sequences = sequences_of(grids);
  expect_size(values.size(), sequences.rows() * width, "patches");
  RowsValue flat;
  flat.box = to_device(copy_of(values, {1, sequences.rows(), width}));
  std::vector<std::int64_t> from(static_cast<std::size_t>(sequences.rows()));
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::int64_t>(i);
  auto value = std::make_shared<torch::PatchesValue>();
  value->rows = gathered(flat, from, sequences);
  value->grids.assign(grids.begin(), grids.end());
  return Patches(std::move(value));
}

std::vector<float> TorchInterpreter::read(const Rows& x) {
  const RowsValue& in = see(x);
  const at::Tensor box = in.box.detach().to(at::kCPU, at::kFloat).contiguous();
  const std::int64_t longest = box.size(1);
  std::vector<float> values;
  values.reserve(static_cast<std::size_t>(in.sequences.rows() * in.width()));
  for (std::int64_t item = 0; item < in.sequences.items(); ++item) {
    const float* first = box.data_ptr<float>() + item * longest * in.width();
    values.insert(values.end(), first, first + in.sequences.length(item) * in.width());
  }
  return values;
}

Rows TorchInterpreter::rows_of_items(const at::Tensor& matrix) {
  return rows(matrix.unsqueeze(1),
              Sequences(std::vector<std::int64_t>(static_cast<std::size_t>(matrix.size(0)), 1)));
}

at::Tensor TorchInterpreter::matrix(const Rows& x) {
  const RowsValue& in = see(x);
  if (in.box.size(1) != 1) {
    throw Error(ErrorCode::shape_mismatch,
                "cannot take a row an item: found up to " + std::to_string(in.box.size(1)) + ", expected 1");
  }
  return in.box.squeeze(1);
}

// ---- between a box and its rows

at::Tensor TorchInterpreter::to_device(const at::Tensor& values) const {
  return values.to(weights_.device());
}

at::Tensor TorchInterpreter::indices(const std::vector<std::int64_t>& values) const {
  const at::Tensor copy = at::empty({static_cast<std::int64_t>(values.size())}, at::kLong);
  std::copy(values.begin(), values.end(), copy.data_ptr<std::int64_t>());
  return to_device(copy);
}

at::Tensor TorchInterpreter::mask(const Sequences& sequences) const {
  const std::int64_t longest = sequences.longest();
  if (sequences.rows() == sequences.items() * longest) return {};
  const at::Tensor seen = at::zeros({sequences.items(), longest}, at::kBool);
  bool* to = seen.data_ptr<bool>();
  for (std::int64_t item = 0; item < sequences.items(); ++item, to += longest) {
    std::fill_n(to, sequences.length(item), true);
  }
  return to_device(seen);
}

at::Tensor TorchInterpreter::counts(const Sequences& sequences) const {
  std::vector<std::int64_t> lengths;
  for (std::int64_t item = 0; item < sequences.items(); ++item) lengths.push_back(sequences.length(item));
  return indices(lengths).to(at::kFloat).reshape({-1, 1, 1});
}

// Padding is a copy of the first row of all.
Rows TorchInterpreter::gathered(const RowsValue& x, const std::vector<std::int64_t>& from,
                                const Sequences& sequences) const {
  const std::int64_t longest = sequences.longest();
  std::vector<std::int64_t> places(static_cast<std::size_t>(sequences.items() * longest));
  for (std::int64_t item = 0; item < sequences.items(); ++item) {
    std::copy(from.begin() + sequences.begin(item), from.begin() + sequences.end(item),
              places.begin() + item * longest);
  }
  const at::Tensor flat = x.box.reshape({-1, x.width()});
  return rows(flat.index_select(0, indices(places)).reshape({sequences.items(), longest, x.width()}),
              sequences);
}

}  // namespace moa
