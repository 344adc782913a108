// Who interrupts waits for one pass, not for a chunk, and loses nothing that was finished.
#include <moa/model.hpp>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace moa {
namespace {

const std::filesystem::path kCheckpoint =
    std::filesystem::path(MOA_TEST_DATA) / "golden" / "clip" / "odd_sizes";

class Interruption : public ::testing::Test {
 protected:
  // How many inputs got a vector, if the caller interrupts once `most` are done. Every input is delivered.
  std::size_t finished(const std::vector<Input>& inputs, std::size_t most) {
    std::atomic<bool> cancelled = false;
    EmbedOptions options;
    options.cancelled = &cancelled;
    options.progress = [&](std::size_t done) {
      told_.push_back(done);
      cancelled = done >= most;
    };
    std::size_t delivered = 0;
    std::size_t embedded = 0;
    model_.embed(inputs, options, [&](const Embedded& item) {
      EXPECT_EQ(item.index, delivered++);
      if (item.error) {
        EXPECT_EQ(item.error->code(), ErrorCode::cancelled);
      } else {
        ++embedded;
      }
    });
    EXPECT_EQ(delivered, inputs.size());
    return embedded;
  }

  const Model model_ = Model::load(kCheckpoint.string(), {.threads = 1, .text_cache_bytes = 0});
  std::vector<std::size_t> told_;
};

TEST_F(Interruption, EndsAChunkBetweenItsPasses) {
  std::vector<Input> inputs = {Input::file(kCheckpoint / "picture0.png")};
  for (int i = 0; i < 20; ++i) inputs.push_back(Input::text("text " + std::to_string(i)));
  EXPECT_EQ(finished(inputs, 1), 1U);  // the first text goes alone, until it is known what one costs
}

TEST_F(Interruption, ComesTooLateForWhatIsDone) {
  const std::vector<Input> inputs = {Input::text("a"), Input::text("b"), Input::text("c")};
  EXPECT_EQ(finished(inputs, 3), 3U);
}

TEST_F(Interruption, ProgressIsToldFromTheStartAndNeverFallsBack) {
  std::vector<Input> inputs;
  for (int i = 0; i < 200; ++i) inputs.push_back(Input::text("text " + std::to_string(i)));
  finished(inputs, 1000);
  EXPECT_EQ(told_.front(), 0U);
  EXPECT_EQ(told_.back(), inputs.size());
  EXPECT_TRUE(std::ranges::is_sorted(told_));
}

}  // namespace
}  // namespace moa
