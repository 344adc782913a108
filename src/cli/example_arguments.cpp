#include "cli/example_arguments.hpp"

#include <algorithm>
#include <cmath>
#include <vector>

#include "cli/model_arguments.hpp"

namespace moa::cli {
namespace {

double at_least_zero(const Arguments& arguments, std::string_view name, double fallback) {
  const double value = arguments.number(name).value_or(fallback);
  if (std::isfinite(value) && value >= 0) return value;
  fail_usage(arguments.command(), "--" + std::string(name) + ": expected a number from 0 on");
}

std::vector<std::size_t> places(const LabelledPictures& examples, std::span<const std::string> labels) {
  std::vector<std::size_t> found;
  for (const std::string& name : examples.class_names) {
    const auto label = std::ranges::find(labels, name);
    if (label == labels.end()) {
      throw Error(ErrorCode::invalid_argument,
                  "--examples: there are pictures of '" + name + "', which is none of the labels");
    }
    found.push_back(static_cast<std::size_t>(label - labels.begin()));
  }
  return found;
}

}  // namespace

std::optional<LabelledPictures> read_examples(const Arguments& arguments) {
  const std::optional<std::string> place = arguments.value("examples");
  for (const char* option : {"examples-alpha", "examples-beta"}) {
    if (!place && arguments.has(option))
      fail_usage(arguments.command(), "--" + std::string(option) + ": there are no --examples");
  }
  if (!place) return {};
  return read_labelled_pictures(*place);
}

std::shared_ptr<const ExampleCache> embed_examples(const Arguments& arguments,
                                                   const LabelledPictures& examples,
                                                   std::span<const std::string> labels, const Model& model,
                                                   Console& console) {
  auto cache = std::make_shared<ExampleCache>();
  cache->alpha = at_least_zero(arguments, "examples-alpha", cache->alpha);
  cache->beta = at_least_zero(arguments, "examples-beta", cache->beta);
  const std::vector<std::size_t> label_of_class = places(examples, labels);
  EmbedOptions options = embed_options(arguments);
  options.progress = [&](std::size_t done) {
    console.progress("looking at examples", done, examples.pictures.size());
  };
  const Vectors vectors = model.embed_all(examples.pictures, options);
  console.clear_progress();
  cache->vectors = Vectors(vectors.dim());
  for (std::size_t i = 0; i < vectors.size(); ++i) {
    if (const Error* error = vectors.error(i)) {
      if (error->code() == ErrorCode::cancelled) throw *error;
      console.warn("example left out: " + std::string(error->what()));
      continue;
    }
    cache->vectors.append(vectors.row(i));
    cache->labels.push_back(label_of_class[examples.classes[i]]);
  }
  if (cache->labels.empty() && vectors.size() > 0) {
    throw Error(vectors.error(0)->code(), "cannot learn from the examples: none of them could be read");
  }
  return cache;
}

}  // namespace moa::cli
