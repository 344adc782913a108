// A model that is written appears whole or, once its writer is interrupted, not at all.
#include <atomic>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>
#include <moa/merge.hpp>
#include <moa/onnx.hpp>
#include <moa/quantize.hpp>
#include <moa/safetensors.hpp>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"

namespace moa {
namespace {

TEST(Interruption, LeavesNothingOfAModelThatWasBeingWritten) {
  const std::string model = MOA_TEST_DATA "/golden/clip/odd_sizes";
  const moa::testing::TemporaryDirectory folder;
  const auto place = folder.path() / "made";
  const std::atomic<bool> cancelled = true;
  MOA_EXPECT_ERROR(export_safetensors(model, place, "auto", &cancelled), cancelled);
  MOA_EXPECT_ERROR(interpolate(model, model, 0.5, place, &cancelled), cancelled);
  MOA_EXPECT_ERROR(merge_adapter(model, MOA_TEST_DATA "/golden/adapters/lora", 1, place, &cancelled),
                   cancelled);
  MOA_EXPECT_ERROR(quantize(model, place, "int8", &cancelled), cancelled);
#ifdef MOA_HAS_ONNX
  MOA_EXPECT_ERROR(export_onnx(model, place, {.cancelled = &cancelled}), cancelled);
#endif
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

}  // namespace
}  // namespace moa
