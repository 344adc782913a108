#include <moa/safetensors.hpp>

#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>
#include <moa/model.hpp>
#include <moa/quantize.hpp>

#include "base/file.hpp"
#include "checkpoint/model_directory.hpp"
#include "checkpoint/safetensors_writer.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

std::string golden(const std::string& folder) {
  return (fs::path(MOA_TEST_DATA) / "golden" / folder).string();
}

class SafetensorsExport : public testing::Test {
 protected:
  void SetUp() override { fs::create_directories(root_); }
  void TearDown() override { fs::remove_all(root_); }

  std::string exported(const std::string& model, std::string_view dtype = "auto") {
    const fs::path place = root_ / std::to_string(count_++);
    export_safetensors(model, place, dtype);
    return place.string();
  }
  static std::vector<float> vector_of(const std::string& model) {
    return Model::load(model, {.dtype = "f32"}).embed_text("a photo of a dog");
  }
  ErrorCode code_of(const std::string& model, std::string_view dtype) const {
    try {
      export_safetensors(model, root_ / "out", dtype);
    } catch (const Error& error) {
      return error.code();
    }
    return ErrorCode::internal;
  }

  fs::path root_ = fs::temp_directory_path() / ("moa-safetensors-export-" + std::to_string(::getpid()));
  int count_ = 0;
};

TEST_F(SafetensorsExport, GivesTheSameVectorsInEveryLayout) {
  for (const char* model : {"clip/odd_sizes", "clip/open_clip_tiny", "openai_clip/vit/model.pt",
                            "sentence_transformers/roberta_max_dense", "siglip/native_sizes"}) {
    SCOPED_TRACE(model);
    EXPECT_EQ(vector_of(exported(golden(model))), vector_of(golden(model)));
  }
}

TEST_F(SafetensorsExport, OfOpenAisFileIsADirectoryOfOpenClip) {
  const fs::path folder = exported(golden("openai_clip/vit/model.pt"));
  EXPECT_TRUE(fs::exists(folder / "open_clip_model.safetensors"));
  EXPECT_EQ(ModelDirectory::open(folder).layout(), ModelDirectory::Layout::open_clip);
}

TEST_F(SafetensorsExport, OfAQuantizedModelHoldsPlainTensors) {
  const std::string quantized = (root_ / "quantized").string();
  quantize(golden("clip/odd_sizes"), quantized, "int8");
  const std::string plain = exported(quantized);
  EXPECT_FALSE(fs::exists(fs::path(plain) / "moa_quantization.json"));
  const Weights weights = ModelDirectory::open(plain).weights();
  EXPECT_EQ(weights.left_over().size(),
            ModelDirectory::open(golden("clip/odd_sizes")).weights().left_over().size());
  for (const Parameter& tensor : weights.parameters()) EXPECT_NE(tensor.dtype(), DType::i8) << tensor.name();
  EXPECT_EQ(vector_of(plain), vector_of(quantized));
}

// What permits the weights to be passed on goes with them, whoever writes them.
TEST_F(SafetensorsExport, TakesTheLicenceAndTheModelCardAlong) {
  const fs::path model = root_ / "model";
  fs::copy(golden("clip/odd_sizes"), model);
  write_file_atomically(model / "LICENSE", "do as you like");
  write_file_atomically(model / "README.md", "a card");
  write_file_atomically(model / "notes.txt", "nobody's business");
  const fs::path quantized = root_ / "quantized";
  quantize(model.string(), quantized, "int8");
  for (const fs::path& copy :
       {fs::path(exported(model.string())), quantized, fs::path(exported(quantized.string()))}) {
    EXPECT_EQ(read_file(copy / "LICENSE", 100), "do as you like") << copy;
    EXPECT_EQ(read_file(copy / "README.md", 100), "a card") << copy;
    EXPECT_FALSE(fs::exists(copy / "notes.txt")) << copy;
  }
}

TEST_F(SafetensorsExport, TheDtypeIsThatOfEveryFloatAndOfTheConfiguration) {
  const std::string f16 = exported(golden("clip/odd_sizes"), "f16");
  for (const Parameter& tensor : ModelDirectory::open(f16).weights().parameters()) {
    EXPECT_TRUE(tensor.dtype() == DType::f16 || tensor.dtype() == DType::i64) << tensor.name();
  }
  const std::string config = read_file(fs::path(f16) / "config.json", 1 << 20);
  EXPECT_EQ(config.find("\"float32\""), std::string::npos);
  EXPECT_EQ(vector_of(exported(f16, "f32")), vector_of(f16));
}

TEST_F(SafetensorsExport, LeavesNothingWhereItFails) {
  EXPECT_EQ(code_of(golden("clip/odd_sizes"), "int8"), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of("absent", "f32"), ErrorCode::not_found);
  EXPECT_TRUE(fs::is_empty(root_));
}

TEST_F(SafetensorsExport, RefusesWhatF16HasNoRoomFor) {
  const fs::path large = root_ / "large";
  fs::copy(golden("clip/odd_sizes"), large);
  std::vector<TensorToWrite> tensors;
  const Weights weights = ModelDirectory::open(golden("clip/odd_sizes")).weights();
  for (const Parameter& tensor : weights.parameters()) {
    std::vector<float> values = tensor.read();
    if (values.size() > 1) values.front() = 70000;  // the one number is the logarithm of a scale
    tensors.push_back({tensor.name(), DType::f32, tensor.shape(),
                       [values](const ByteSink& write) { write(std::as_bytes(std::span(values))); }});
  }
  fs::remove(large / "model.safetensors");
  write_safetensors(large / "model.safetensors", std::move(tensors));
  EXPECT_EQ(code_of(large.string(), "f16"), ErrorCode::out_of_range);
  EXPECT_FALSE(fs::exists(root_ / "out"));
}

}  // namespace
}  // namespace moa
