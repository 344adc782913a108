#include "checkpoint/quantization.hpp"

#include <moa/error.hpp>

#include "checkpoint/file_names.hpp"

namespace moa {
namespace {

constexpr std::int64_t kFormatVersion = 1;

}  // namespace

std::optional<Precision> quantized_to(const ModelDirectory& directory) {
  const Config statement = directory.json(kQuantizationName);
  if (statement.keys().empty()) {
    if (!directory.file(kQuantizationName)) return std::nullopt;
    throw Error(ErrorCode::corrupt_data, std::string(kQuantizationName) + ": says nothing");
  }
  const std::int64_t version = statement.integer("format_version", 0);
  if (version != kFormatVersion) {
    throw Error(ErrorCode::unsupported, "cannot load the quantized model '" + directory.path().string() +
                                            "': found version " + std::to_string(version) +
                                            " of the format, this moa reads version " +
                                            std::to_string(kFormatVersion) + "; quantize the original again");
  }
  const std::string dtype = statement.string("dtype", "");
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    if (dtype == name(precision)) return precision;
  }
  throw Error(ErrorCode::corrupt_data,
              statement.where() + ": 'dtype': found '" + dtype + "', expected bf16 or int8");
}

std::string quantization_statement(Precision precision) {
  return "{\"format_version\": " + std::to_string(kFormatVersion) + ", \"dtype\": \"" +
         std::string(name(precision)) + "\"}\n";
}

}  // namespace moa
