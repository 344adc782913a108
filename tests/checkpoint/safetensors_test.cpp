#include "checkpoint/safetensors.hpp"

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors_bytes.hpp"

namespace moa {
namespace {

using testing::SafetensorsBuilder;
using testing::TemporaryDirectory;

TEST(Safetensors, GivesTensorsWithNameTypeShapeAndBytes) {
  const std::string file = SafetensorsBuilder()
                               .add("a.weight", "F32", "[2,3]", std::vector<float>{1, 2, 3, 4, 5, 6})
                               .add("scalar", "BF16", "[]", std::vector<std::uint16_t>{0x4000})
                               .bytes();
  const std::vector<StoredTensor> tensors = parse_safetensors(as_bytes(file), "test");
  ASSERT_EQ(tensors.size(), 2u);
  EXPECT_EQ(tensors[0].name, "a.weight");
  EXPECT_EQ(tensors[0].dtype, DType::f32);
  EXPECT_EQ(tensors[0].shape, (Shape{2, 3}));
  EXPECT_EQ(tensors[0].bytes.size(), 24u);
  EXPECT_EQ(tensors[1].shape, Shape{});
  EXPECT_EQ(tensors[1].stored_type, "BF16");
}

TEST(Safetensors, AcceptsMetadataAndTrailingSpaces) {
  const std::string header =
      R"({"__metadata__":{"format":"pt"},"a":{"dtype":"U8","shape":[2],"data_offsets":[0,2]}}    )";
  EXPECT_EQ(parse_safetensors(as_bytes(testing::safetensors_bytes(header, "xy")), "test").size(), 1u);
}

TEST(Safetensors, AcceptsAFileWithoutTensors) {
  EXPECT_TRUE(parse_safetensors(as_bytes(testing::safetensors_bytes("{}")), "test").empty());
}

TEST(Safetensors, AcceptsATensorWithoutElements) {
  const std::string file = SafetensorsBuilder().add("none", "F32", "[0,4]", "").bytes();
  EXPECT_EQ(parse_safetensors(as_bytes(file), "test").at(0).bytes.size(), 0u);
}

TEST(Safetensors, GivesAlignedFloatsInPlace) {
  const TemporaryDirectory directory;
  std::string header = R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";
  header.append(128 - header.size() - 8, ' ');
  const std::vector<float> values{1, 2, 3, 4};
  const std::string data(reinterpret_cast<const char*>(values.data()), 16);
  const auto file =
      SafetensorsFile::open(directory.write("aligned", testing::safetensors_bytes(header, data)));
  const Parameter parameter = file.parameter(file.tensors()[0], "a");
  const float* row = parameter.rows_in_place(1, 1);
  ASSERT_NE(row, nullptr);
  EXPECT_EQ(row[0], 3.0F);
}

TEST(Safetensors, ReadsUnalignedFloatsButNotInPlace) {
  const TemporaryDirectory directory;
  std::string header = R"({"a":{"dtype":"F32","shape":[2,2],"data_offsets":[0,16]}})";
  header.append(129 - header.size() - 8, ' ');
  const std::vector<float> values{1, 2, 3, 4};
  const std::string data(reinterpret_cast<const char*>(values.data()), 16);
  const auto file =
      SafetensorsFile::open(directory.write("unaligned", testing::safetensors_bytes(header, data)));
  const Parameter parameter = file.parameter(file.tensors()[0], "a");
  EXPECT_EQ(parameter.rows_in_place(0, 2), nullptr);
  EXPECT_EQ(parameter.read(), values);
}

TEST(Safetensors, ParametersOutliveTheFileObjectAndDroppedPages) {
  const TemporaryDirectory directory;
  Parameter parameter;
  const std::vector<std::uint16_t> ones(100'000, 0x3C00);
  {
    const auto file = SafetensorsFile::open(directory.write(
        "half.safetensors", SafetensorsBuilder().add("h", "F16", "[1000,100]", ones).bytes()));
    parameter = file.parameter(file.tensors()[0], "h");
  }
  EXPECT_EQ(parameter.dtype(), DType::f16);
  EXPECT_EQ(parameter.read(), std::vector<float>(100'000, 1.0F));
  parameter.drop_pages();
  std::vector<float> rows(200);
  parameter.read_rows(998, 2, rows.data());
  EXPECT_EQ(rows, std::vector<float>(200, 1.0F));
}

TEST(Safetensors, RefusesToMakeAParameterOfATypeItCannotRead) {
  const TemporaryDirectory directory;
  const auto file = SafetensorsFile::open(
      directory.write("f8", SafetensorsBuilder().add("x", "F8_E4M3", "[2]", "ab").bytes()));
  MOA_EXPECT_ERROR(file.parameter(file.tensors()[0], "x"), unsupported);
}

TEST(Safetensors, ReportsAFileThatIsNotThere) {
  MOA_EXPECT_ERROR(SafetensorsFile::open("/nonexistent/model.safetensors"), not_found);
}

}  // namespace
}  // namespace moa
