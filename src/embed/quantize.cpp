#include <moa/quantize.hpp>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include <moa/error.hpp>

#include "backends/cpu/level.hpp"
#include "backends/recording/recording.hpp"
#include "base/new_directory.hpp"
#include "checkpoint/company.hpp"
#include "checkpoint/file_names.hpp"
#include "checkpoint/model_directory.hpp"
#include "checkpoint/model_search.hpp"
#include "checkpoint/quantization.hpp"
#include "checkpoint/safetensors_writer.hpp"
#include "embed/loaded_model.hpp"
#include "models/tower_walk.hpp"
#include "tensor/factored.hpp"
#include "tensor/finite.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

Parameter whole_of(Parameter parameter) {
  while (parameter.view() != nullptr) parameter = parameter.view()->of;
  return parameter;
}

// The tensors that go into fewer bits, what the towers read through products and lookups, and into how few.
// One of which a part is asked for in f32 stays.
std::map<std::string, Precision> narrowable_tensors(const LoadedModel& model) {
  RecordingInterpreter recording;
  walk_text(model.network(), recording);
  walk_image(model.network(), recording);
  std::map<std::string, Precision> least;
  for (const auto& [parameter, precision] : recording.narrowable()) {
    const Parameter whole = whole_of(parameter);
    for (const Parameter& tensor : stored_tensors({whole})) {
      // The rows of a tensor train's core mean nothing, and there may be one: no scale of theirs is small.
      const bool is_core = tensor.identity() != whole.identity() && tensor.shape().rank() > 2;
      const Precision to = is_core ? Precision::bf16 : precision;
      const auto [place, is_new] = least.try_emplace(tensor.name(), to);
      if (to == Precision::bf16) place->second = to;
    }
  }
  for (const Parameter& exact : recording.exact()) {
    for (const Parameter& tensor : stored_tensors({whole_of(exact)})) least.erase(tensor.name());
  }
  return least;
}

bool is_wider_than(DType dtype, Precision precision) {
  return dtype == DType::f32 || dtype == DType::f64 || dtype == DType::f16 ||
         (dtype == DType::bf16 && precision == Precision::int8);
}

template <typename Number>
std::span<const std::byte> bytes_of(const std::vector<Number>& numbers) {
  return std::as_bytes(std::span(numbers));
}

// Calls piece(row as f32) for each row.
template <typename Piece>
void for_each_row(const Parameter& tensor, Piece piece) {
  std::vector<float> row(static_cast<std::size_t>(tensor.shape().elements_per_row()));
  for (std::int64_t i = 0; i < tensor.shape()[0]; ++i) {
    tensor.read_rows(i, 1, row.data());
    if (!cpu::chosen_kernels().is_finite(row.data(), static_cast<std::int64_t>(row.size()))) {
      refuse_infinite(tensor, i, "quantize");
    }
    piece(row);
  }
  tensor.drop_pages();
}

void expect_finite(const Parameter& tensor) {
  if (tensor.shape().rank() < 2) {
    finite_numbers(tensor, "quantize");
  } else {
    for_each_row(tensor, [](const std::vector<float>&) {});
  }
}

bool is_infinite_bf16(std::uint16_t bits) {
  return (bits & 0x7FFF) == 0x7F80;
}

void add_bf16(std::vector<TensorToWrite>& out, const Parameter& tensor) {
  out.push_back(
      {tensor.name(), DType::bf16, tensor.shape(), [tensor](const ByteSink& write) {
         std::vector<std::uint16_t> narrow(static_cast<std::size_t>(tensor.shape().elements_per_row()));
         for_each_row(tensor, [&](const std::vector<float>& row) {
           cpu::chosen_kernels().to_bf16(row.data(), static_cast<std::int64_t>(row.size()), narrow.data());
           if (std::ranges::any_of(narrow, is_infinite_bf16)) {
             throw Error(ErrorCode::out_of_range,
                         "cannot quantize '" + tensor.name() + "': found a weight that bf16 cannot hold");
           }
           write(bytes_of(narrow));
         });
       }});
}

// The scales are written before the integers, as their elements are larger: each pass computes them.
void add_int8(std::vector<TensorToWrite>& out, const Parameter& tensor) {
  const auto pass = [tensor](const std::function<void(const std::vector<std::int8_t>&, float)>& piece) {
    std::vector<std::int8_t> integers(static_cast<std::size_t>(tensor.shape().elements_per_row()));
    for_each_row(tensor, [&](const std::vector<float>& row) {
      const float scale =
          cpu::chosen_kernels().to_int8(row.data(), static_cast<std::int64_t>(row.size()), integers.data());
      piece(integers, scale);
    });
  };
  out.push_back({tensor.name(), DType::i8, tensor.shape(), [pass](const ByteSink& write) {
                   pass([&](const std::vector<std::int8_t>& integers, float) { write(bytes_of(integers)); });
                 }});
  out.push_back(
      {tensor.name() + ".scale", DType::f32, Shape{tensor.shape()[0]}, [pass](const ByteSink& write) {
         pass([&](const std::vector<std::int8_t>&, float scale) {
           write(std::as_bytes(std::span(&scale, 1)));
         });
       }});
}

// The folder that a tensor of sentence-transformers' modules is called after ("2_Dense/linear.weight"), and
// its slash; empty for one of the directory itself.
std::string folder_of(const ModelDirectory& directory, const std::string& tensor) {
  if (directory.layout() != ModelDirectory::Layout::sentence_transformers) return {};
  return tensor.substr(0, tensor.find('/') + 1);
}

// One file in each folder that has weights.
void write_weights(const LoadedModel& model, Precision precision, NewDirectory& directory) {
  const std::map<std::string, Precision> narrowable = narrowable_tensors(model);
  const ModelDirectory& source = model.directory();
  std::map<std::string, std::vector<TensorToWrite>> by_folder;
  for (const Parameter& tensor : stored_tensors(source.weights().parameters())) {
    const std::string folder = folder_of(source, tensor.name());
    std::vector<TensorToWrite>& tensors = by_folder[folder];
    const std::size_t first = tensors.size();
    const auto found = narrowable.find(tensor.name());
    const Precision to =
        found != narrowable.end() && found->second == Precision::bf16 ? found->second : precision;
    const bool narrow = found != narrowable.end() && tensor.shape().rank() >= 2 &&
                        tensor.shape().elements() > 0 && is_wider_than(tensor.dtype(), to);
    if (!narrow) {
      if (is_wider_than(tensor.dtype(), Precision::int8)) expect_finite(tensor);
      for (TensorToWrite& piece : as_stored(tensor)) tensors.push_back(std::move(piece));
    } else if (to == Precision::bf16) {
      add_bf16(tensors, tensor);
    } else {
      add_int8(tensors, tensor);
    }
    for (std::size_t i = first; i < tensors.size(); ++i) tensors[i].name.erase(0, folder.size());
  }
  const bool is_open_clip = source.layout() == ModelDirectory::Layout::open_clip;
  const std::string_view file = (is_open_clip ? kOpenClipFiles : kTransformersFiles).safetensors.whole;
  for (auto& [folder, tensors] : by_folder) {
    write_safetensors(directory.file(fs::path(folder) / file), std::move(tensors), {}, directory.cancelled());
  }
}

}  // namespace

void quantize(std::string_view name, const fs::path& directory, std::string_view dtype,
              const std::atomic<bool>* cancelled) {
  const auto precision = dtype == "bf16" ? Precision::bf16 : Precision::int8;
  if (dtype != moa::name(precision)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot quantize to '" + std::string(dtype) + "': expected bf16 or int8");
  }
  NewDirectory unfinished(directory, cancelled);
  const auto model = LoadedModel::load(name, {});
  const ModelDirectory& source = model->directory();
  if (source.layout() == ModelDirectory::Layout::openai) {
    throw Error(ErrorCode::unsupported,
                "cannot quantize '" + std::string(name) +
                    "': found a lone file without a configuration, expected a directory as transformers, "
                    "open_clip or sentence-transformers writes it");
  }
  if (quantized_to(source)) {
    throw Error(ErrorCode::invalid_argument, "cannot quantize '" + std::string(name) +
                                                 "': it is quantized to " +
                                                 std::string(moa::name(*quantized_to(source))) + " already");
  }
  write_weights(*model, precision, unfinished);
  copy_company(source, unfinished);
  unfinished.write(kQuantizationName, quantization_statement(precision));
  unfinished.commit();
}

}  // namespace moa
