// Files of prompt vectors, sound ones and others.
#include "checkpoint/prompt_vectors.hpp"

#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors_writer.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

const std::map<std::string, std::string> kMetadata = {{"moa.base_model", "some/model"},
                                                      {"moa.base_files", "0123"},
                                                      {"moa.initial", "a photo of a"},
                                                      {"moa.template", "{}."}};

class PromptFiles : public ::testing::Test {
 protected:
  // A file with one tensor.
  fs::path file(const std::map<std::string, std::string>& metadata, const std::string& name, Shape shape,
                std::vector<float> values) {
    const fs::path path = folder_.path() / ("prompt" + std::to_string(files_++) + ".safetensors");
    write_safetensors(path,
                      {{name, DType::f32, std::move(shape),
                        [&](const ByteSink& write) { write(std::as_bytes(std::span(values))); }}},
                      metadata);
    return path;
  }
  testing::TemporaryDirectory folder_;
  int files_ = 0;
};

TEST_F(PromptFiles, AreReadAsTheyWereWritten) {
  const fs::path path = folder_.path() / "prompt.safetensors";
  PromptVectors{Parameter::from_values("prompt_vectors", {2, 3}, {1, 2, 3, 4, 5, 6}), "some/model", "0123",
                "a \"photo\" 사진", "{}."}
      .write(path);
  const PromptVectors prompt = PromptVectors::open(path);
  EXPECT_EQ(prompt.vectors.read(), (std::vector<float>{1, 2, 3, 4, 5, 6}));
  EXPECT_EQ(prompt.vectors.shape(), (Shape{2, 3}));
  EXPECT_EQ(prompt.base, "some/model");
  EXPECT_EQ(prompt.base_files, "0123");
  EXPECT_EQ(prompt.initial, "a \"photo\" 사진");
  EXPECT_EQ(prompt.label_template, "{}.");
  EXPECT_FALSE(fs::exists(path.string() + ".new"));
}

TEST_F(PromptFiles, AreWrittenOverWhatAKilledProcessLeft) {
  folder_.write("prompt.safetensors.new", "half of it");
  const fs::path path = folder_.path() / "prompt.safetensors";
  PromptVectors{Parameter::from_values("prompt_vectors", {1, 2}, {1, 2}), "some/model", "0123", "", "{}."}
      .write(path);
  EXPECT_EQ(PromptVectors::open(path).vectors.read(), (std::vector<float>{1, 2}));
}

TEST_F(PromptFiles, OfOtherContentAreRefused) {
  EXPECT_NO_THROW(PromptVectors::open(file(kMetadata, "prompt_vectors", {1, 2}, {1, 2})));
  for (const auto& [key, text] : kMetadata) {
    std::map<std::string, std::string> metadata = kMetadata;
    metadata.erase(key);
    MOA_EXPECT_ERROR(PromptVectors::open(file(metadata, "prompt_vectors", {1, 2}, {1, 2})), corrupt_data);
  }
  std::map<std::string, std::string> metadata = kMetadata;
  metadata["moa.template"] = "a photo";
  MOA_EXPECT_ERROR(PromptVectors::open(file(metadata, "prompt_vectors", {1, 2}, {1, 2})), corrupt_data);
  MOA_EXPECT_ERROR(PromptVectors::open(file(kMetadata, "vectors", {1, 2}, {1, 2})), corrupt_data);
  MOA_EXPECT_ERROR(PromptVectors::open(file(kMetadata, "prompt_vectors", {2}, {1, 2})), corrupt_data);
  MOA_EXPECT_ERROR(PromptVectors::open(file(kMetadata, "prompt_vectors", {0, 2}, {})), corrupt_data);
  MOA_EXPECT_ERROR(
      PromptVectors::open(file(kMetadata, "prompt_vectors", {20000, 1}, std::vector<float>(20000))),
      corrupt_data);
  MOA_EXPECT_ERROR(PromptVectors::open(file(kMetadata, "prompt_vectors", {1, 2}, {1, HUGE_VALF})),
                   corrupt_data);
  MOA_EXPECT_ERROR(PromptVectors::open(folder_.write("text", "no vectors")), corrupt_data);
  MOA_EXPECT_ERROR(PromptVectors::open(folder_.path() / "none"), not_found);
}

}  // namespace
}  // namespace moa
