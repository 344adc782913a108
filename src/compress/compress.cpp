#include <moa/compress.hpp>

#include <algorithm>
#include <bit>
#include <cmath>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <utility>

#include <moa/error.hpp>

#include "backends/recording/recording.hpp"
#include "base/cancellation.hpp"
#include "base/half.hpp"
#include "base/name_pattern.hpp"
#include "base/new_directory.hpp"
#include "base/number_text.hpp"
#include "base/thread_pool.hpp"
#include "checkpoint/quantization.hpp"
#include "checkpoint/widen.hpp"
#include "compress/decompose.hpp"
#include "embed/loaded_model.hpp"
#include "export/published_directory.hpp"
#include "models/tower_walk.hpp"
#include "tensor/elements.hpp"
#include "tensor/factored.hpp"
#include "tensor/finite.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// The checkpoint's own matrices that linear layers of the towers multiply with, but for those that ask for
// f32: what stands at a tower's end.
std::vector<Parameter> linears_of(const LoadedModel& model) {
  RecordingInterpreter recording;
  walk_text(model.network(), recording);
  walk_image(model.network(), recording);
  std::set<std::string> in_precision_of_run;
  for (const RecordingInterpreter::Narrowable& each : recording.narrowable()) {
    in_precision_of_run.insert(each.parameter.name());
  }
  std::map<std::string, Parameter> found;
  for (const Parameter& weight : recording.linear_weights()) {
    for (Parameter part : whole_parts(weight)) {
      if (!in_precision_of_run.contains(part.name())) continue;
      while (part.view() != nullptr) part = part.view()->of;
      if (part.shape().rank() == 2) found.emplace(part.name(), part);
    }
  }
  std::vector<Parameter> linears;
  linears.reserve(found.size());
  for (auto& [name, weight] : found) linears.push_back(std::move(weight));
  return linears;
}

bool is_half(DType dtype) {
  return dtype == DType::f16 || dtype == DType::q4 || dtype == DType::i8;
}

// The type that a matrix's factors are stored in.
DType dtype_of_factors(const Parameter& matrix) {
  if (is_half(matrix.dtype())) return DType::f16;
  return matrix.dtype() == DType::bf16 ? DType::bf16 : DType::f32;
}

float rounded_to_f16(float value) {
  return widen_f16(narrow_f16(value));
}

float rounded_to_bf16(float value) {
  std::uint32_t bits = std::bit_cast<std::uint32_t>(value);
  bits += 0x7FFF + (bits >> 16 & 1);  // to the nearest, ties to even
  return std::bit_cast<float>(bits & 0xFFFF0000);
}

std::int64_t stored_bytes(const Parameter& tensor) {
  std::int64_t bytes = 0;
  for (const StoredPiece& piece : tensor.pieces()) bytes += static_cast<std::int64_t>(piece.bytes.size());
  if (bytes > 0) return bytes;
  return tensor.shape().elements() * static_cast<std::int64_t>(element_bytes(tensor.dtype()));
}

std::vector<float> checked_values(const Parameter& matrix) {
  std::vector<float> values = finite_numbers(matrix, "compress");
  matrix.drop_pages();
  return values;
}

// A linear layer's weight, and what stands for it from now on.
struct Replacement {
  CompressedLinear report;
  Parameter product;  // empty: nothing
};

Parameter product_of(const Parameter& matrix, Decomposition&& found, DType dtype) {
  const bool is_train = found.factors.size() == kTensorTrainSuffixes.size();
  std::vector<Parameter> factors;
  for (Factor& factor : found.factors) {
    const std::string_view suffix =
        is_train ? kTensorTrainSuffixes.at(factors.size()) : kLowRankSuffixes.at(factors.size());
    factors.push_back(to_be_stored_in(
        dtype, Parameter::from_values(matrix.name() + std::string(suffix), Shape(std::move(factor.extents)),
                                      std::move(factor.values))));
  }
  if (is_train) return tensor_train_matrix(matrix.name(), factors[0], factors[1], factors[2]);
  return low_rank_matrix(matrix.name(), factors[0], factors[1]);
}

Replacement replace(const Parameter& matrix, const CompressOptions& options) {
  Replacement result;
  CompressedLinear& report = result.report;
  report = {matrix.name(), matrix.shape()[0], matrix.shape()[1], {}, 0, stored_bytes(matrix), 0};
  report.bytes_after = report.bytes_before;
  const DType dtype = dtype_of_factors(matrix);
  const auto element = static_cast<std::int64_t>(element_bytes(dtype));
  const std::vector<float> values = checked_values(matrix);
  DecomposeOptions decompose{options.error, (report.bytes_before + element - 1) / element, {}};
  if (dtype == DType::f16) decompose.round = rounded_to_f16;
  if (dtype == DType::bf16) decompose.round = rounded_to_bf16;
  const MatrixView view{values, report.out, report.in};
  std::optional<Decomposition> found = options.kind == CompressOptions::Kind::low_rank
                                           ? low_rank(view, decompose)
                                           : tensor_train(view, decompose);
  if (!found) return result;
  report.ranks = found->ranks;
  report.error = found->error;
  report.bytes_after = found->numbers * element;
  result.product = product_of(matrix, std::move(*found), dtype);
  return result;
}

void expect_plain(const LoadedModel& model, const std::vector<Parameter>& linears, std::string_view name) {
  const auto precision = quantized_to(model.directory());
  const bool is_compressed = std::any_of(linears.begin(), linears.end(),
                                         [](const Parameter& weight) { return !factors_of(weight).empty(); });
  if (!precision && !is_compressed) return;
  throw Error(ErrorCode::invalid_argument,
              "cannot compress '" + std::string(name) + "': it is " +
                  (is_compressed ? "compressed" : "quantized to " + std::string(moa::name(*precision))) +
                  " already; expected the original");
}

std::vector<Parameter> chosen_linears(const std::vector<Parameter>& all, const CompressOptions& options) {
  for (const std::string& pattern : options.linears) {
    const bool names_any = std::any_of(all.begin(), all.end(),
                                       [&](const Parameter& weight) { return fits(pattern, weight.name()); });
    if (names_any) continue;
    throw Error(
        ErrorCode::invalid_argument,
        "cannot compress: no linear layer's weight fits '" + pattern + "'" +
            (all.empty() ? "; the model has none" : ", expected one such as '" + all.front().name() + "'"));
  }
  std::vector<Parameter> chosen;
  for (const Parameter& weight : all) {
    if (fits_any(options.linears, weight.name())) chosen.push_back(weight);
  }
  return chosen;
}

std::vector<Replacement> replace_all(const std::vector<Parameter>& linears, const CompressOptions& options) {
  ThreadPool threads(options.threads > 0 ? options.threads : available_threads());
  std::vector<Replacement> all(linears.size());
  std::mutex reporting;
  std::size_t done = 0;
  threads.parallel_for(linears.size(), [&](std::size_t i) {
    stop_if_raised(options.cancelled);
    all[i] = replace(linears[i], options);
    const std::lock_guard lock(reporting);
    ++done;
    if (options.progress) options.progress(done, linears.size());
  });
  return all;
}

}  // namespace

std::vector<CompressedLinear> compress(std::string_view name, const fs::path& place,
                                       const CompressOptions& options) {
  if (!(options.error >= 0 && options.error < 1)) {
    throw Error(ErrorCode::invalid_argument, "cannot compress with an error of " +
                                                 shortest_digits(options.error) +
                                                 ": expected one from 0 to below 1");
  }
  NewDirectory directory(place, options.cancelled);
  const std::shared_ptr<const LoadedModel> model = LoadedModel::load(name, {.device = "cpu"});
  const std::vector<Parameter> linears = linears_of(*model);
  expect_plain(*model, linears, name);
  std::vector<Replacement> replacements = replace_all(chosen_linears(linears, options), options);

  std::map<std::string, Parameter> products;
  std::vector<CompressedLinear> report;
  for (Replacement& each : replacements) {
    if (each.product) products.emplace(each.report.name, each.product);
    report.push_back(std::move(each.report));
  }
  std::vector<Parameter> tensors;
  for (const Parameter& tensor : model->directory().weights().parameters()) {
    const auto found = products.find(tensor.name());
    tensors.push_back(found == products.end() ? tensor : found->second);
  }
  write_published(model->directory(), tensors, {.keeps_blocks = true}, directory);
  directory.commit();
  return report;
}

}  // namespace moa
