#include "train/prompt_learning.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <vector>

#include <moa/error.hpp>

#include "embed/native_engine.hpp"
#include "text/tokenizer.hpp"
#include "train/random.hpp"

namespace moa::train {
namespace {

constexpr std::int64_t kVectors = 16;
constexpr double kSpread = 0.02;

// Box and Muller 1958.
float normal(Random& random) {
  const double radius = std::sqrt(-2 * std::log(1 - random.uniform()));
  return static_cast<float>(kSpread * radius * std::cos(2 * std::numbers::pi * random.uniform()));
}

}  // namespace

Parameter initial_prompt_vectors(const LoadedModel& model, const PromptOptions& options, std::uint64_t seed) {
  const Parameter table = token_table(model.network());
  if (!table || model.text() == nullptr)
    throw Error(ErrorCode::unsupported, "cannot learn a prompt: the model has no table of tokens");
  std::vector<std::int32_t> words;
  if (!options.initial.empty()) words = model.tokenizer().tokenize_bare(options.initial);
  const auto tokens = static_cast<std::int64_t>(words.size());
  const std::int64_t count = options.vectors > 0 ? options.vectors : tokens > 0 ? tokens : kVectors;
  if (tokens > count) {
    throw Error(ErrorCode::invalid_argument, "cannot begin a prompt of " + std::to_string(count) +
                                                 " vectors as '" + options.initial + "': it has " +
                                                 std::to_string(tokens) + " tokens");
  }
  const std::int64_t width = table.shape()[1];
  std::vector<float> values(static_cast<std::size_t>(count * width));
  Random random({seed, 0x70726F6D7074});  // "prompt": a stream of its own
  std::generate(values.begin(), values.end() - tokens * width, [&] { return normal(random); });
  for (std::int64_t i = 0; i < tokens; ++i)
    table.read_rows(words[static_cast<std::size_t>(i)], 1, values.data() + (count - tokens + i) * width);
  return Parameter::from_values(std::string(kPromptVectors), {count, width}, std::move(values));
}

}  // namespace moa::train
