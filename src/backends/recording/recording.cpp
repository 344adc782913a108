#include "backends/recording/recording.hpp"

#include <array>
#include <cstdio>
#include <memory>
#include <string_view>

#include <moa/error.hpp>

#include "tensor/factored.hpp"

namespace moa {
namespace {

class RecordedValue final : public Value {
 public:
  RecordedValue(std::size_t number, bool is_pixels) : number_(number), is_pixels_(is_pixels) {}
  std::string name() const { return "%" + std::to_string(number_); }
  bool is_pixels() const { return is_pixels_; }

 private:
  std::size_t number_;
  bool is_pixels_;
};

template <typename Tag>
std::string text(const Handle<Tag>& handle) {
  const auto* value = dynamic_cast<const RecordedValue*>(handle.value().get());
  if (value == nullptr)
    throw Error(ErrorCode::internal, "a value of another interpreter was given to the recording one");
  return value->name();
}

// Whether a convolution of `x` sees the pixels themselves, which keeps it in f32.
bool is_pixels(const Tensor& x) {
  const auto* value = dynamic_cast<const RecordedValue*>(x.value().get());
  return value != nullptr && value->is_pixels();
}

std::string text(Activation activation) {
  constexpr std::array<std::string_view, 9> kNames = {"none",  "quick_gelu", "gelu", "gelu_tanh", "relu",
                                                      "relu6", "silu",       "tanh", "sigmoid"};
  return std::string(kNames.at(static_cast<std::size_t>(activation)));
}

std::string number(double value) {
  std::array<char, 32> digits{};
  std::snprintf(digits.data(), digits.size(), "%.9g", value);
  return digits.data();
}

}  // namespace

std::string RecordingInterpreter::use(const Parameter& parameter) {
  if (seen_.insert(parameter.identity()).second) parameters_.push_back(parameter);
  return parameter.name() + " " + to_string(parameter.shape());
}

template <typename Result>
Result RecordingInterpreter::record(const std::string& operation, const std::vector<std::string>& arguments) {
  const auto value = std::make_shared<RecordedValue>(calls_.size(), operation == "pixels");
  std::string line = value->name() + " = " + operation + "(";
  for (std::size_t i = 0; i < arguments.size(); ++i) line += (i == 0 ? "" : ", ") + arguments[i];
  calls_.push_back(line + ")");
  return Result(value);
}

Tokens RecordingInterpreter::tokens(std::span<const std::int32_t>, std::span<const std::int32_t>,
                                    const Sequences&) {
  return record<Tokens>("tokens", {});
}

Tensor RecordingInterpreter::pixels(std::span<const float>, std::int64_t, std::int64_t channels,
                                    std::int64_t height_px, std::int64_t width_px) {
  return record<Tensor>("pixels", {"[batch, " + std::to_string(channels) + ", " + std::to_string(height_px) +
                                   ", " + std::to_string(width_px) + "]"});
}

Patches RecordingInterpreter::patches(std::span<const float>, std::int64_t width,
                                      std::span<const PatchGrid>) {
  return record<Patches>("patches", {"[rows, " + std::to_string(width) + "]"});
}

std::vector<float> RecordingInterpreter::read(const Rows&) {
  throw Error(ErrorCode::unsupported, "cannot read numbers from the recording interpreter: it computes none");
}

void RecordingInterpreter::add_narrowable(const Parameter& parameter, ProductPrecision asked) {
  const Precision least = asked == ProductPrecision::bf16 ? Precision::bf16 : Precision::int8;
  for (const Parameter& part : whole_parts(parameter)) {
    if (asked == ProductPrecision::f32) {
      exact_.push_back(part);
    } else {
      narrowable_.push_back({part, least});
    }
  }
}

std::vector<Parameter> RecordingInterpreter::whole_linears() const {
  std::vector<Parameter> all;
  std::set<const void*> seen;
  for (const Parameter& weight : linear_weights_) {
    for (const Parameter& part : whole_parts(weight)) {
      if (part.view() == nullptr && seen.insert(part.identity()).second) all.push_back(part);
    }
  }
  return all;
}

Rows RecordingInterpreter::linear(const Rows& x, const Linear& layer, const LinearOptions& options) {
  add_narrowable(layer.weight, options.precision);
  if (!seen_.contains(layer.weight.identity())) linear_weights_.push_back(layer.weight);
  std::vector<std::string> arguments{text(x), use(layer.weight)};
  if (layer.bias) arguments.push_back(use(layer.bias));
  if (options.activation != Activation::none) arguments.push_back("activation=" + text(options.activation));
  if (options.residual != nullptr) arguments.push_back("residual=" + text(*options.residual));
  return record<Rows>("linear", arguments);
}

Rows RecordingInterpreter::layer_norm(const Rows& x, const LayerNorm& norm) {
  return record<Rows>("layer_norm", {text(x), use(norm.weight), use(norm.bias), "eps=" + number(norm.eps)});
}

Rows RecordingInterpreter::activation(const Rows& x, Activation kind) {
  return record<Rows>("activation", {text(x), text(kind)});
}

Rows RecordingInterpreter::add(const Rows& a, const Rows& b) {
  return record<Rows>("add", {text(a), text(b)});
}

Rows RecordingInterpreter::add_row(const Rows& x, const Parameter& row) {
  return record<Rows>("add_row", {text(x), use(row)});
}

Rows RecordingInterpreter::multiply(const Rows& a, const Rows& b) {
  return record<Rows>("multiply", {text(a), text(b)});
}

Rows RecordingInterpreter::multiply_row(const Rows& x, const Parameter& row) {
  return record<Rows>("multiply_row", {text(x), use(row)});
}

Rows RecordingInterpreter::softmax(const Rows& x, double scale) {
  return record<Rows>("softmax", {text(x), "scale=" + number(scale)});
}

Rows RecordingInterpreter::l2_normalize(const Rows& x, double eps) {
  return record<Rows>("l2_normalize", {text(x), "eps=" + number(eps)});
}

Rows RecordingInterpreter::columns(const Rows& x, std::int64_t begin, std::int64_t width) {
  return record<Rows>("columns", {text(x), std::to_string(begin), std::to_string(width)});
}

Rows RecordingInterpreter::attention(const Rows& q, const Rows& k, const Rows& v,
                                     const AttentionOptions& options) {
  std::vector<std::string> arguments{text(q), text(k), text(v), "heads=" + std::to_string(options.heads)};
  if (options.scale != 0) arguments.push_back("scale=" + number(options.scale));
  if (options.mask == Mask::causal) arguments.emplace_back("mask=causal");
  if (options.relative_bias != nullptr) {
    arguments.push_back("relative_bias=" + use(options.relative_bias->table));
  }
  return record<Rows>("attention", arguments);
}

Rows RecordingInterpreter::embedding(const Tokens& tokens, TokenField field, const Parameter& table) {
  add_narrowable(table, ProductPrecision::of_run);
  if (field == TokenField::id) token_table_ = table;
  return record<Rows>("embedding", {text(tokens), field == TokenField::id ? "id" : "type", use(table)});
}

Rows RecordingInterpreter::add_positions(const Rows& x, const Parameter& table, std::int64_t first) {
  return record<Rows>("add_positions", {text(x), use(table), "first=" + std::to_string(first)});
}

Rows RecordingInterpreter::add_positions_after(const Rows& x, const Tokens& tokens, const Parameter& table,
                                               std::int32_t pad) {
  return record<Rows>("add_positions_after",
                      {text(x), text(tokens), use(table), "pad=" + std::to_string(pad)});
}

Rows RecordingInterpreter::first_row(const Rows& x) {
  return record<Rows>("first_row", {text(x)});
}
Rows RecordingInterpreter::last_row(const Rows& x) {
  return record<Rows>("last_row", {text(x)});
}
Rows RecordingInterpreter::mean_rows(const Rows& x, std::int64_t first) {
  std::vector<std::string> arguments{text(x)};
  if (first != 0) arguments.push_back("first=" + std::to_string(first));
  return record<Rows>("mean_rows", arguments);
}

Rows RecordingInterpreter::pool_rows(const Rows& x, RowPooling kind) {
  constexpr std::array<std::string_view, 3> kNames = {"max", "sum_by_root", "mean_by_place"};
  return record<Rows>("pool_rows", {text(x), std::string(kNames.at(static_cast<std::size_t>(kind)))});
}

Rows RecordingInterpreter::row_where(const Rows& x, const Tokens& tokens, const TokenRule& rule) {
  const std::string chosen =
      rule.kind == TokenRule::Kind::largest_id ? "largest id" : "first id " + std::to_string(rule.id);
  return record<Rows>("row_where", {text(x), text(tokens), chosen});
}

Rows RecordingInterpreter::prepend_row(const Rows& x, const Parameter& row) {
  return record<Rows>("prepend_row", {text(x), use(row)});
}

Rows RecordingInterpreter::repeat_rows(const Rows& x, const Parameter& table) {
  return record<Rows>("repeat_rows", {text(x), use(table)});
}

Rows RecordingInterpreter::concatenate(const Rows& a, const Rows& b) {
  return record<Rows>("concatenate", {text(a), text(b)});
}

Rows RecordingInterpreter::drop_rows_after(const Rows& x, const Tokens& tokens, std::int32_t id) {
  return record<Rows>("drop_rows_after", {text(x), text(tokens), "id " + std::to_string(id)});
}

Tensor RecordingInterpreter::convolution(const Tensor& x, const Convolution& layer,
                                         const ConvolutionOptions& options) {
  if (options.groups == 1 && !is_pixels(x)) add_narrowable(layer.weight, options.precision);
  std::vector<std::string> arguments{text(x), use(layer.weight)};
  if (layer.bias) arguments.push_back(use(layer.bias));
  arguments.push_back("stride=" + std::to_string(options.stride));
  const PixelPadding& padding = options.padding;
  if (padding.top + padding.bottom + padding.left + padding.right > 0) {
    arguments.push_back("padding=" + std::to_string(padding.top) + "," + std::to_string(padding.bottom) +
                        "," + std::to_string(padding.left) + "," + std::to_string(padding.right));
  }
  if (options.groups != 1) arguments.push_back("groups=" + std::to_string(options.groups));
  if (options.activation != Activation::none) arguments.push_back("activation=" + text(options.activation));
  if (options.residual != nullptr) arguments.push_back("residual=" + text(*options.residual));
  return record<Tensor>("convolution", arguments);
}

Tensor RecordingInterpreter::activation(const Tensor& x, Activation kind) {
  return record<Tensor>("activation", {text(x), text(kind)});
}
Tensor RecordingInterpreter::scale_channels(const Tensor& x, const Rows& factors) {
  return record<Tensor>("scale_channels", {text(x), text(factors)});
}
Tensor RecordingInterpreter::average_pool(const Tensor& x, std::int64_t size_px) {
  return record<Tensor>("average_pool", {text(x), std::to_string(size_px)});
}
Tensor RecordingInterpreter::add_position_grid(const Tensor& x, const PositionGrid& grid) {
  return record<Tensor>("add_position_grid",
                        {text(x), use(grid.table), "first=" + std::to_string(grid.first),
                         "grid=" + std::to_string(grid.height) + "x" + std::to_string(grid.width)});
}

Rows RecordingInterpreter::rows_of(const Patches& patches) {
  return record<Rows>("rows_of", {text(patches)});
}

Rows RecordingInterpreter::add_position_grid(const Rows& x, const Patches& patches,
                                             const PositionGrid& grid) {
  return record<Rows>("add_position_grid",
                      {text(x), text(patches), use(grid.table), "first=" + std::to_string(grid.first),
                       "grid=" + std::to_string(grid.height) + "x" + std::to_string(grid.width)});
}

Rows RecordingInterpreter::rows_of(const Tensor& x) {
  return record<Rows>("rows_of", {text(x)});
}
Rows RecordingInterpreter::mean_pixels(const Tensor& x) {
  return record<Rows>("mean_pixels", {text(x)});
}

}  // namespace moa
