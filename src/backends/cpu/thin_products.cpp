// Linear layers whose matrices are stored as products of two thin ones (tensor/factored.hpp): rows go through
// one after the other, and the matrix is never multiplied out.
#include "backends/cpu/interpreter.hpp"
#include "tensor/factored.hpp"

namespace moa::cpu {
namespace {

// A tensor train of three cores is multiplied out when it is prepared.
bool is_thin(const Parameter& matrix) {
  return factors_of(matrix).size() == kLowRankSuffixes.size();
}

}  // namespace

bool CpuInterpreter::has_thin_parts(const Parameter& weight) {
  if (!weight.has_parts()) return false;  // as nearly all are: nothing is asked of them in a forward pass
  const std::vector<Parameter> parts = weight.parts();
  return is_thin(weight) || std::any_of(parts.begin(), parts.end(), is_thin);
}

Rows CpuInterpreter::thin_linear(const Rows& x, const Linear& layer, const LinearOptions& options) {
  const std::vector<Parameter> parts = layer.weight.parts();
  const LinearOptions plain{.precision = options.precision};
  if (is_thin(layer.weight)) {
    return linear(linear(x, {parts[1], {}}, plain), {parts[0], layer.bias}, options);
  }
  // Each matrix of the stack for itself, its columns beside those of the others.
  const RowsValue& in = see(x);
  const std::int64_t columns = layer.weight.shape()[0];
  const float* bias = engine_.weights.vector(layer.bias);
  auto out = new_rows(in.sequences, columns);
  const RowsValue* residual = options.residual == nullptr ? nullptr : &see(*options.residual);
  if (residual != nullptr) expect_same_rows(*out, *residual, "add a residual");
  std::int64_t column = 0;
  for (const Parameter& part : parts) {
    Epilogue epilogue;
    epilogue.activation = options.activation;
    if (bias != nullptr) epilogue.bias = bias + column;
    if (residual != nullptr) {
      epilogue.residual = {residual->matrix.data + column, residual->matrix.stride};
    }
    Rows inner = x;
    Parameter matrix = part;
    if (is_thin(part)) {
      inner = linear(x, {part.parts()[1], {}}, plain);
      matrix = part.parts()[0];
    }
    const RowsValue& from = see(inner);
    product(from.matrix, from.rows(), from.width,
            engine_.weights.matrix(matrix, precision_for(options.precision)), matrix.shape()[0], epilogue,
            {out->matrix.data + column, out->matrix.stride});
    column += matrix.shape()[0];
  }
  return Rows(std::move(out));
}

}  // namespace moa::cpu
