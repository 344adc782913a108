// Golden checkpoints: a folder in a published layout with random weights, and expected.safetensors with what
// the reference computes.
#pragma once

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "checkpoint/model_directory.hpp"
#include "checkpoint/safetensors.hpp"
#include "models/embedding_model.hpp"
#include "tensor/interpreter.hpp"

namespace moa {

struct Golden {
  std::filesystem::path path;
  std::unique_ptr<EmbeddingModel> model;
  Weights expected;
  std::vector<std::int32_t> ids;
  std::vector<std::int64_t> lengths;
  std::vector<PatchGrid> grids;  // of pictures in their own shapes, whose "pixels" are patches

  static Golden load(const std::string& folder) {
    const std::filesystem::path path = std::filesystem::path(MOA_TEST_DATA) / "golden" / folder;
    const std::filesystem::path lone_file = path / "model.pt";
    return load(std::filesystem::exists(lone_file) ? lone_file : path, path);
  }

  // A checkpoint that lies elsewhere than the values expected of it.
  static Golden load(const std::filesystem::path& checkpoint, const std::filesystem::path& expectations) {
    Golden golden;
    golden.path = expectations;
    const ModelDirectory directory = ModelDirectory::open(checkpoint);
    Weights weights = directory.weights();
    golden.model =
        architecture_of(directory.config(), layout_of(directory)).build(directory.config(), weights);
    weights.finish(directory.weights_name());
    const SafetensorsFile file = SafetensorsFile::open(golden.path / "expected.safetensors");
    for (const StoredTensor& tensor : file.tensors()) {
      if (tensor.stored_type == "I32") {
        const auto* values = reinterpret_cast<const std::int32_t*>(tensor.bytes.data());
        const std::span<const std::int32_t> whole(values, tensor.bytes.size() / 4);
        if (tensor.name == "ids") golden.ids.assign(whole.begin(), whole.end());
        if (tensor.name == "lengths") golden.lengths.assign(whole.begin(), whole.end());
        for (std::size_t i = 0; tensor.name == "grids" && i < whole.size(); i += 2) {
          golden.grids.push_back({whole[i], whole[i + 1]});
        }
      } else {
        golden.expected.add(file.parameter(tensor, tensor.name));
      }
    }
    return golden;
  }

  static CheckpointLayout layout_of(const ModelDirectory& directory) {
    if (directory.layout() == ModelDirectory::Layout::openai) return CheckpointLayout::openai;
    if (directory.layout() == ModelDirectory::Layout::sentence_transformers) {
      return CheckpointLayout::sentence_transformers;
    }
    return directory.layout() == ModelDirectory::Layout::open_clip ? CheckpointLayout::open_clip
                                                                   : CheckpointLayout::transformers;
  }

  std::vector<float> values(const std::string& name) const {
    return Weights(expected).take(name, expected.shape_of(name)).read();
  }
  Tokens tokens(Interpreter& ops) const { return ops.tokens(ids, {}, Sequences(lengths)); }
  Tensor pixels(Interpreter& ops) const {
    const Shape shape = expected.shape_of("pixels");
    return ops.pixels(values("pixels"), shape[0], shape[1], shape[2], shape[3]);
  }
  Patches patches(Interpreter& ops) const {
    return ops.patches(values("pixels"), expected.shape_of("pixels")[1], grids);
  }
  // All pictures in one batch, not normalised.
  Rows forward_images(Interpreter& ops) const {
    return grids.empty() ? model->forward_image(ops, pixels(ops)) : model->forward_patches(ops, patches(ops));
  }
};

// Every golden checkpoint, below tests/golden: a folder with expected.safetensors beside a checkpoint.
inline std::vector<std::string> golden_folders() {
  const std::filesystem::path root = std::filesystem::path(MOA_TEST_DATA) / "golden";
  std::vector<std::string> folders;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(root)) {
    if (entry.path().filename() != "expected.safetensors") continue;
    const std::filesystem::path folder = entry.path().parent_path();
    // Expectations of a checkpoint that lies elsewhere (moa-mini) have a test of their own.
    if (!std::filesystem::exists(folder / "config.json") &&
        !std::filesystem::exists(folder / "open_clip_config.json") &&
        !std::filesystem::exists(folder / "model.pt")) {
      continue;
    }
    folders.push_back(folder.lexically_relative(root).generic_string());
  }
  std::sort(folders.begin(), folders.end());
  return folders;
}

// Every component within `tolerance`, or, for hidden states, within `tolerance` of the largest value
// expected.
inline void expect_near(const std::vector<float>& found, const std::vector<float>& expected, double tolerance,
                        bool relative_to_largest = false) {
  ASSERT_EQ(found.size(), expected.size());
  double largest = 0;
  double difference = 0;
  for (std::size_t i = 0; i < found.size(); ++i) {
    largest = std::max(largest, std::abs(static_cast<double>(expected[i])));
    const double here = std::abs(static_cast<double>(found[i]) - expected[i]);
    difference = std::isnan(here) ? INFINITY : std::max(difference, here);
  }
  EXPECT_LE(difference, relative_to_largest ? tolerance * largest : tolerance);
}

}  // namespace moa
