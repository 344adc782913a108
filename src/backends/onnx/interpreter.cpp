#include "backends/onnx/interpreter.hpp"

#include <memory>
#include <utility>

#include <moa/error.hpp>

namespace moa {

using onnx::Builder;
using onnx::ElementType;

namespace {

template <typename Seen, typename Tag>
const Seen& behind(const Handle<Tag>& handle) {
  const auto* value = dynamic_cast<const Seen*>(handle.value().get());
  if (value == nullptr)
    throw Error(ErrorCode::internal, "a value of another interpreter was given to the onnx one");
  return *value;
}

}  // namespace

namespace onnx {

void refuse(std::string_view operation, std::string_view value, std::string_view why) {
  throw Error(ErrorCode::unsupported, "cannot write to ONNX: the operation " + std::string(operation) +
                                          " of '" + std::string(value) + "': " + std::string(why));
}

}  // namespace onnx

OnnxInterpreter::OnnxInterpreter(const OnnxOptions& options)
    : options_(options), builder_(options.name, options.opset) {}

const onnx::RowsValue& OnnxInterpreter::see(const Rows& x) {
  return behind<RowsValue>(x);
}
const onnx::TensorValue& OnnxInterpreter::see(const Tensor& x) {
  return behind<TensorValue>(x);
}
const onnx::TokensValue& OnnxInterpreter::see(const Tokens& x) {
  return behind<TokensValue>(x);
}

const onnx::PatchesValue& OnnxInterpreter::see(const Patches& x) {
  return behind<PatchesValue>(x);
}

Rows OnnxInterpreter::rows(const RowsValue& like, std::string name) {
  auto value = std::make_shared<RowsValue>(like);
  value->name = std::move(name);
  return Rows(std::move(value));
}

Tensor OnnxInterpreter::tensor(const TensorValue& like, std::string name) {
  auto value = std::make_shared<TensorValue>(like);
  value->name = std::move(name);
  return Tensor(std::move(value));
}

Rows OnnxInterpreter::item(const RowsValue& of, std::string name) {
  auto value = std::make_shared<RowsValue>(of);
  value->name = std::move(name);
  value->rows = 1;
  value->mask.clear();
  return Rows(std::move(value));
}

// ---- inputs and outputs

Tokens OnnxInterpreter::tokens(std::span<const std::int32_t>, std::span<const std::int32_t>,
                               const Sequences&) {
  const OnnxTextInput& text = options_.text;
  auto value = std::make_shared<TokensValue>();
  const onnx::Dimension length =
      text.tokens > 0 ? onnx::Dimension{text.tokens} : onnx::Dimension{0, text.length};
  value->ids = builder_.input({text.ids, text.type, {{0, text.batch}, length}});
  value->batch_of = value->ids;
  value->tokens = text.tokens;
  if (!text.mask.empty()) {
    const std::string mask = builder_.input({text.mask, text.type, {{0, text.batch}, length}});
    value->mask = builder_.cast(mask, ElementType::boolean);
  }
  return Tokens(std::move(value));
}

// In f32 whatever the precision of the run: a processor's values are.
std::string OnnxInterpreter::values_of_bytes(const std::string& bytes, const OnnxPixelValues& values) {
  const Builder::Exact exact(builder_);
  const Shape of_channels{static_cast<std::int64_t>(values.scale.size())};
  const std::string scale =
      builder_.floats("pixel scale", of_channels, {values.scale.begin(), values.scale.end()});
  const std::string shift =
      builder_.floats("pixel shift", of_channels, {values.shift.begin(), values.shift.end()});
  const std::string scaled = builder_.node("Mul", {builder_.cast(bytes, ElementType::f32), scale});
  const std::string shifted = builder_.node("Add", {scaled, shift});
  return builder_.node("Transpose", {shifted}, {{"perm", std::vector<std::int64_t>{0, 3, 1, 2}}});
}

Tensor OnnxInterpreter::pixels(std::span<const float>, std::int64_t, std::int64_t channels,
                               std::int64_t height_px, std::int64_t width_px) {
  const OnnxImageInput& image = options_.image;
  auto value = std::make_shared<TensorValue>();
  if (image.values) {
    value->batch_of = builder_.input(
        {image.pixels, ElementType::u8, {{0, image.batch}, {height_px}, {width_px}, {channels}}});
    value->name = values_of_bytes(value->batch_of, *image.values);
  } else {
    value->name = builder_.input(
        {image.pixels, ElementType::f32, {{0, image.batch}, {channels}, {height_px}, {width_px}}});
    value->batch_of = value->name;
  }
  value->channels = channels;
  value->height = height_px;
  value->width = width_px;
  return Tensor(std::move(value));
}

std::vector<float> OnnxInterpreter::read(const Rows&) {
  throw Error(ErrorCode::unsupported, "cannot read numbers from the onnx interpreter: it computes none");
}

void OnnxInterpreter::output_rows(const std::string& name, const Rows& x) {
  const RowsValue& value = see(x);
  if (value.rows < 2 || value.shared) {
    throw Error(ErrorCode::shape_mismatch, "cannot make '" + value.name + "' the output '" + name +
                                               "': expected items of several rows, as many each");
  }
  const Builder::Exact exact(builder_);
  const std::string& batch = value.batch_of == options_.text.ids ? options_.text.batch : options_.image.batch;
  builder_.output({name, ElementType::f32, {{0, batch}, {value.rows}, {value.width}}}, value.name);
}

Rows OnnxInterpreter::rows_beside(const Tokens& texts, const std::string& name, const Rows& like) {
  RowsValue value = see(like);
  value.name =
      builder_.input({name, ElementType::f32, {{0, options_.text.batch}, {value.rows}, {value.width}}});
  value.batch_of = see(texts).batch_of;
  return Rows(std::make_shared<RowsValue>(std::move(value)));
}

void OnnxInterpreter::output(const std::string& name, const Rows& x) {
  const RowsValue value = own(see(x), "output");
  if (value.rows != 1) {
    throw Error(ErrorCode::shape_mismatch, "cannot make '" + value.name + "' the output '" + name +
                                               "': it has several rows an item, expected one");
  }
  const Builder::Exact exact(builder_);
  const bool is_text = value.batch_of == options_.text.ids;
  const std::string& batch = is_text ? options_.text.batch : options_.image.batch;
  builder_.output({name, ElementType::f32, {{0, batch}, {value.width}}}, value.name);
}

void OnnxInterpreter::output_scores(const Rows& images, const Rows& texts, const Scores& scores) {
  const Builder::Exact exact(builder_);
  const auto name = [&](const std::string& operation, std::vector<std::string> inputs,
                        onnx::Attributes attributes = {}) {
    return builder_.node(operation, std::move(inputs), std::move(attributes));
  };
  const std::string columns =
      name("Transpose", {see(texts).name}, {{"perm", std::vector<std::int64_t>{1, 0}}});
  const std::string cosines = name("MatMul", {see(images).name, columns});
  std::string score =
      name("Mul", {cosines, builder_.floats("logit_scale.exp", {}, {static_cast<float>(scores.scale)})});
  if (scores.bias != 0) {
    score = name("Add", {score, builder_.floats("logit_bias", {}, {static_cast<float>(scores.bias)})});
  }
  const onnx::Dimension image{0, options_.image.batch};
  const onnx::Dimension text{0, options_.text.batch};
  builder_.output({scores.per_image, ElementType::f32, {image, text}}, score);
  const std::string turned = name("Transpose", {score}, {{"perm", std::vector<std::int64_t>{1, 0}}});
  builder_.output({scores.per_text, ElementType::f32, {text, image}}, turned);
}

// ---- sizes and masks, each computed once

std::string OnnxInterpreter::batch(const std::string& batch_of) {
  return builder_.once("batch " + batch_of, [&] {
    const std::string shape = builder_.node("Shape", {batch_of}, {}, ElementType::i64);
    return builder_.node("Gather", {shape, builder_.integers({0})}, {}, ElementType::i64);
  });
}

std::string OnnxInterpreter::length(const RowsValue& x) {
  if (x.rows > 0) return builder_.integers({x.rows});
  return builder_.once("length " + x.length_of, [&] {
    const std::string shape = builder_.node("Shape", {x.length_of}, {}, ElementType::i64);
    return builder_.node("Gather", {shape, builder_.integers({1})}, {}, ElementType::i64);
  });
}

std::string OnnxInterpreter::places(const std::string& count) {
  return builder_.once("places " + count, [&] {
    const std::string limit = builder_.node("Squeeze", {count}, {}, ElementType::i64);
    return builder_.node("Range", {builder_.integer(0), limit, builder_.integer(1)}, {}, ElementType::i64);
  });
}

void OnnxInterpreter::note_padding(const RowsValue& x) {
  needs_mask_ = needs_mask_ || (x.rows == 0 && !x.shared);
}

std::string OnnxInterpreter::mask_or_ones(const RowsValue& x) {
  if (!x.mask.empty()) return x.mask;
  const std::string length_of = length(x);
  return builder_.once("ones " + x.batch_of + " " + length_of, [&] {
    const std::string shape = builder_.node("Concat", {batch(x.batch_of), length_of},
                                            {{"axis", std::int64_t{0}}}, ElementType::i64);
    const std::string one = builder_.cast(builder_.integers({1}), ElementType::boolean);
    return builder_.node("Expand", {one, shape}, {}, ElementType::boolean);
  });
}

std::string OnnxInterpreter::counting(const RowsValue& x) {
  note_padding(x);
  const std::string mask = mask_or_ones(x);
  return builder_.once("counting " + mask, [&] {
    const Builder::Exact exact(builder_);
    return builder_.node("Unsqueeze", {builder_.cast(mask, ElementType::f32), builder_.integers({-1})});
  });
}

onnx::RowsValue OnnxInterpreter::own(const RowsValue& x, const char* operation) {
  if (!x.shared) return x;
  if (x.rows == 0) {
    onnx::refuse(operation, x.name, "found the rows of token types, which are known to addition only");
  }
  RowsValue whole = x;
  std::vector<std::string> sizes{batch(x.batch_of)};
  sizes.push_back(builder_.integers(x.rows == 1 ? std::vector<std::int64_t>{x.width}
                                                : std::vector<std::int64_t>{x.rows, x.width}));
  const std::string shape = builder_.node("Concat", sizes, {{"axis", std::int64_t{0}}}, ElementType::i64);
  whole.name = builder_.node("Expand", {x.name, shape});
  whole.shared = false;
  return whole;
}

std::string OnnxInterpreter::boxed(const RowsValue& x) {
  if (x.rows != 1) return x.name;
  return builder_.node("Unsqueeze", {x.name, builder_.integers({1})});
}

}  // namespace moa
