#include "checkpoint/safetensors_writer.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/model_directory.hpp"
#include "checkpoint/quantization.hpp"
#include "checkpoint/safetensors.hpp"
#include "checkpoint/safetensors_bytes.hpp"

namespace moa {
namespace {

using testing::SafetensorsBuilder;
using testing::TemporaryDirectory;

template <typename Number>
TensorToWrite tensor(std::string name, DType dtype, Shape shape, std::vector<Number> values) {
  return {std::move(name), dtype, std::move(shape),
          [values = std::move(values)](const ByteSink& write) { write(std::as_bytes(std::span(values))); }};
}

TEST(SafetensorsWriter, WritesWhatTheReaderReads) {
  const TemporaryDirectory directory;
  const auto path = directory.path() / "model.safetensors";
  write_safetensors(path, {tensor<std::int8_t>("a\"b", DType::i8, {3}, {1, -2, 3}),
                           tensor<float>("w", DType::f32, {2, 1}, {1.5F, -2}),
                           tensor<std::uint16_t>("h", DType::bf16, {}, {0x4000})});
  const SafetensorsFile file = SafetensorsFile::open(path);
  ASSERT_EQ(file.tensors().size(), 3u);
  EXPECT_EQ(file.tensors()[0].name, "w");  // the widest elements first: all are aligned
  EXPECT_EQ(file.tensors()[1].name, "h");
  EXPECT_EQ(file.tensors()[2].name, "a\"b");
  const Parameter w = file.parameter(file.tensors()[0], "w");
  EXPECT_EQ(w.read(), (std::vector<float>{1.5F, -2}));
  EXPECT_NE(w.rows_in_place(0, 1), nullptr);
  EXPECT_EQ(file.parameter(file.tensors()[1], "h").read(), std::vector<float>{2});
}

TEST(SafetensorsWriter, RefusesAContentOfAnotherSizeAndAPlaceThatCannotBeWritten) {
  const TemporaryDirectory directory;
  MOA_EXPECT_ERROR((write_safetensors(directory.path() / "a", {tensor<float>("w", DType::f32, {3}, {1, 2})})),
                   internal);
  MOA_EXPECT_ERROR((write_safetensors(directory.path() / "no" / "a", {})), io_error);
}

class QuantizedDirectory : public ::testing::Test {
 protected:
  Weights weights(SafetensorsBuilder builder) {
    directory_.write("config.json", "{}");
    directory_.write("model.safetensors", builder.bytes());
    return ModelDirectory::open(directory_.path()).weights();
  }
  TemporaryDirectory directory_;
};

TEST_F(QuantizedDirectory, IntegersAndScalesAreOneTensor) {
  Weights loaded = weights(SafetensorsBuilder()
                               .add("w", "I8", "[2,3]", std::vector<std::int8_t>{1, 2, -127, 4, 5, 6})
                               .add("w.scale", "F32", "[2]", std::vector<float>{0.5F, 2}));
  const Parameter w = loaded.take("w", {2, 3});
  loaded.finish("test");
  EXPECT_EQ(w.read(), (std::vector<float>{0.5F, 1, -63.5F, 8, 10, 12}));
  EXPECT_EQ(w.dtype(), DType::i8);
  std::vector<std::int8_t> integers(3);
  float scale = 0;
  EXPECT_TRUE(w.read_rows_int8(1, 1, integers.data(), &scale));
  EXPECT_EQ(integers, (std::vector<std::int8_t>{4, 5, 6}));
  EXPECT_EQ(scale, 2);
  EXPECT_FALSE(w.reshaped({3, 2}).read_rows_int8(0, 1, integers.data(), &scale));
  const Parameter both = Parameter::stacked({w, w});
  std::vector<std::int8_t> all(9);
  std::vector<float> scales(3);
  EXPECT_TRUE(both.read_rows_int8(1, 3, all.data(), scales.data()));
  EXPECT_EQ(all, (std::vector<std::int8_t>{4, 5, 6, 1, 2, -127, 4, 5, 6}));
  EXPECT_EQ(scales, (std::vector<float>{2, 0.5F, 2}));
}

TEST_F(QuantizedDirectory, ScalesThatDoNotFitAreCorruptAndIntegersWithoutScalesAreNotRead) {
  const std::vector<std::int8_t> integers{1, 2, 3, 4, 5, 6};
  MOA_EXPECT_ERROR((weights(SafetensorsBuilder()
                                .add("w", "I8", "[2,3]", integers)
                                .add("w.scale", "F32", "[3]", std::vector<float>{1, 2, 3}))),
                   corrupt_data);
  MOA_EXPECT_ERROR((weights(SafetensorsBuilder()
                                .add("w", "I8", "[2,3]", integers)
                                .add("w.scale", "F16", "[2]", std::vector<std::uint16_t>{1, 2}))),
                   corrupt_data);
  MOA_EXPECT_ERROR((weights(SafetensorsBuilder().add("w", "I8", "[2,3]", integers))), unsupported);
}

TEST_F(QuantizedDirectory, SaysWhatItWasQuantizedTo) {
  weights(SafetensorsBuilder());
  const auto stated = [&](const std::string& statement) {
    directory_.write("moa_quantization.json", statement);
    return quantized_to(ModelDirectory::open(directory_.path()));
  };
  EXPECT_EQ(quantized_to(ModelDirectory::open(directory_.path())), std::nullopt);
  for (const Precision precision : {Precision::bf16, Precision::int8}) {
    EXPECT_EQ(stated(quantization_statement(precision)), precision);
  }
  MOA_EXPECT_ERROR((stated(R"({"format_version": 2, "dtype": "int8"})")), unsupported);
  MOA_EXPECT_ERROR((stated(R"({"dtype": "int8"})")), unsupported);
  MOA_EXPECT_ERROR((stated(R"({"format_version": 1, "dtype": "int3"})")), corrupt_data);
  MOA_EXPECT_ERROR((stated("{}")), corrupt_data);
  MOA_EXPECT_ERROR((stated("[")), corrupt_data);
}

}  // namespace
}  // namespace moa
