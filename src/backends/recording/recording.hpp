// The interpreter that computes nothing and writes down every call. It proves that a model is made of Ops and
// nothing else: there are no numbers, lengths or ids behind its handles, so a model that looks behind one
// fails.
#pragma once

#include <set>
#include <string>
#include <vector>

#include "tensor/interpreter.hpp"
#include "tensor/precision.hpp"

namespace moa {

// Each call becomes a line such as "%3 = linear(%2, fc1.weight [3072, 768], activation=quick_gelu)"; %0, %1,
// … are values in the order they came to be, parameters go by their names in the checkpoint.
class RecordingInterpreter final : public Interpreter {
 public:
  const std::vector<std::string>& calls() const noexcept { return calls_; }
  // Every parameter that a call was given, once each, in order of first use: what a tower is made of.
  const std::vector<Parameter>& parameters() const noexcept { return parameters_; }
  // Those of them that may be stored in fewer bits: weights of products that do not ask for f32 (ops.hpp),
  // and tables of embeddings; down to `least`.
  struct Narrowable {
    Parameter parameter;
    Precision least = Precision::int8;
  };
  const std::vector<Narrowable>& narrowable() const noexcept { return narrowable_; }
  // Weights of products that ask for f32, or parts of them.
  const std::vector<Parameter>& exact() const noexcept { return exact_; }
  // The weights of linear layers, once each.
  const std::vector<Parameter>& linear_weights() const noexcept { return linear_weights_; }
  // The table that ids of tokens are looked up in; none if there was no such call.
  const Parameter& token_table() const noexcept { return token_table_; }
  // The matrices of the checkpoint that they are, or are stacks of: without those of which only a part is
  // multiplied with. A product (factored.hpp) is one.
  std::vector<Parameter> whole_linears() const;

  Tokens tokens(std::span<const std::int32_t> ids, std::span<const std::int32_t> types,
                const Sequences& sequences) override;
  Tensor pixels(std::span<const float> values, std::int64_t batch, std::int64_t channels,
                std::int64_t height_px, std::int64_t width_px) override;
  Patches patches(std::span<const float> values, std::int64_t width,
                  std::span<const PatchGrid> grids) override;
  // Error: unsupported; there is nothing to read.
  std::vector<float> read(const Rows& x) override;

  Rows linear(const Rows& x, const Linear& layer, const LinearOptions& options) override;
  Rows layer_norm(const Rows& x, const LayerNorm& norm) override;
  Rows activation(const Rows& x, Activation kind) override;
  Rows add(const Rows& a, const Rows& b) override;
  Rows add_row(const Rows& x, const Parameter& row) override;
  Rows multiply(const Rows& a, const Rows& b) override;
  Rows multiply_row(const Rows& x, const Parameter& row) override;
  Rows softmax(const Rows& x, double scale) override;
  Rows l2_normalize(const Rows& x, double eps) override;
  Rows columns(const Rows& x, std::int64_t begin, std::int64_t width) override;
  Rows attention(const Rows& q, const Rows& k, const Rows& v, const AttentionOptions& options) override;
  Rows embedding(const Tokens& tokens, TokenField field, const Parameter& table) override;
  Rows add_positions(const Rows& x, const Parameter& table, std::int64_t first) override;
  Rows add_positions_after(const Rows& x, const Tokens& tokens, const Parameter& table,
                           std::int32_t pad) override;
  Rows first_row(const Rows& x) override;
  Rows last_row(const Rows& x) override;
  Rows mean_rows(const Rows& x, std::int64_t first) override;
  Rows pool_rows(const Rows& x, RowPooling kind) override;
  Rows row_where(const Rows& x, const Tokens& tokens, const TokenRule& rule) override;
  Rows prepend_row(const Rows& x, const Parameter& row) override;
  Rows repeat_rows(const Rows& x, const Parameter& table) override;
  Rows concatenate(const Rows& a, const Rows& b) override;
  Rows drop_rows_after(const Rows& x, const Tokens& tokens, std::int32_t id) override;
  Tensor convolution(const Tensor& x, const Convolution& layer, const ConvolutionOptions& options) override;
  Tensor activation(const Tensor& x, Activation kind) override;
  Tensor scale_channels(const Tensor& x, const Rows& factors) override;
  Tensor average_pool(const Tensor& x, std::int64_t size_px) override;
  Tensor add_position_grid(const Tensor& x, const PositionGrid& grid) override;
  Rows rows_of(const Tensor& x) override;
  Rows mean_pixels(const Tensor& x) override;
  Rows rows_of(const Patches& patches) override;
  Rows add_position_grid(const Rows& x, const Patches& patches, const PositionGrid& grid) override;

 private:
  template <typename Result>
  Result record(const std::string& operation, const std::vector<std::string>& arguments);

  std::string use(const Parameter& parameter);

  std::vector<std::string> calls_;
  void add_narrowable(const Parameter& parameter, ProductPrecision asked);

  std::vector<Parameter> parameters_;
  std::vector<Narrowable> narrowable_;
  std::vector<Parameter> exact_;
  Parameter token_table_;
  std::vector<Parameter> linear_weights_;
  std::set<const void*> seen_;
};

}  // namespace moa
