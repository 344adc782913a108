// Evaluating: how good a model's vectors are at telling classes apart and at finding pictures and captions,
// in the numbers that the field reports. Definitions are those of CLIP_benchmark, so that figures can be set
// beside published ones.
#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <moa/export.hpp>
#include <moa/model.hpp>

namespace moa {

// A number between 0 and 1, and how far it would move on other pictures of the same kind.
struct Metric {
  std::string name;  // as CLIP_benchmark calls it: "acc1", "image_retrieval_recall@5"
  double value = 0;
  // The percentile bootstrap's interval; both equal `value` where nothing was resampled.
  double low = 0;
  double high = 0;
};

// How confidence intervals are found: pictures are drawn with replacement, with all that belongs to them.
struct BootstrapOptions {
  std::size_t resamples = 1000;  // 0: no intervals
  double confidence = 0.95;
  std::uint64_t seed = 0;  // the same seed gives the same interval, on every machine
};

struct Evaluation {
  std::vector<Metric> metrics;
  std::size_t pictures = 0;  // that counted
  std::size_t texts = 0;     // classes or captions that counted
  // One a picture and one a caption. What failed counts in no metric.
  std::vector<std::optional<Error>> picture_errors;
  std::vector<std::optional<Error>> text_errors;
  Truncation truncated;  // of the captions, or of the classes in their templates

  // The metric's value. Error: not_found.
  MOA_API double value(std::string_view name) const;
};

// Pictures that belong to one class each.
struct LabelledPictures {
  std::vector<Input> pictures;
  std::vector<std::size_t> classes;      // one a picture: a place in class_names
  std::vector<std::string> class_names;  // in words, as they go into a template
};

// Which columns of a table matter. Empty: the first that is there of filepath, file_name, image, path; of
// title, caption, captions, text; of label, class.
struct TableColumns {
  std::string image = {};
  std::string caption = {};
  std::string label = {};
};

struct TableOptions {
  TableColumns columns = {};
  // What separates the fields of a .csv or .tsv file; 0: a comma, or a tab if the file's name ends in .tsv.
  char separator = 0;
  // Where relative paths begin; empty: the folder of the table.
  std::filesystem::path root = {};
};

// `place` is a folder with one folder a class, or a table (.csv, .tsv, .jsonl) with one line a picture. Files
// in folders that do not begin like pictures are left out. A class is named as its folder or label, with
// spaces for "_", unless the file `class_names` does it. Each of its lines is the words of one class: in the
// bytewise order of the folders or labels; the n-th, from 0, for labels that are numbers; or, if every line
// has a tab, of the class "FOLDER<tab>words". The last two may name classes that have no pictures. Errors:
// not_found; io_error; corrupt_data (a table); invalid_argument (no pictures, no such column, a picture that
// lies in no class's folder, class names that do not match).
MOA_API LabelledPictures read_labelled_pictures(const std::filesystem::path& place,
                                                const std::optional<std::filesystem::path>& class_names = {},
                                                const TableOptions& options = {});

// Pictures and the captions that belong to them, several a picture if there are.
struct CaptionedPictures {
  std::vector<Input> pictures;
  std::vector<std::string> captions;
  std::vector<std::size_t> picture_of_caption;  // a place in `pictures`
};

// The pairs of a table (.csv, .tsv, .jsonl). Lines with the same path are captions of the same picture; a
// .jsonl line's caption may be an array. Errors: as read_labelled_pictures().
MOA_API CaptionedPictures read_captioned_pictures(const std::filesystem::path& table,
                                                  const TableOptions& options = {});

struct ZeroShotOptions {
  std::vector<std::string> templates = {};  // empty: the model's own
  // As ClassifyOptions has them; not of the pictures that are evaluated.
  std::shared_ptr<const ExampleCache> examples = {};
  std::vector<std::size_t> top = {1, 5};  // accN counts the pictures whose class is among the best N
  BootstrapOptions bootstrap = {};
  EmbedOptions embed = {};
};

// Zero-shot classification: "acc1", "acc5" (where there are so many classes), "mean_per_class_recall". A
// class that ties with the right one counts as better than it. Errors: invalid_argument without pictures,
// with classes out of place, or for a 0 in `top`; cancelled; a class name's own.
MOA_API Evaluation evaluate_zero_shot(const Model& model, const LabelledPictures& set,
                                      const ZeroShotOptions& options = {});

struct RetrievalOptions {
  std::vector<std::size_t> top = {1, 5, 10};
  // Equal captions are one query, to which all their pictures belong. CLIP_benchmark keeps them apart.
  bool merge_equal_captions = false;
  BootstrapOptions bootstrap = {};
  EmbedOptions embed = {};
};

// Retrieval both ways. image_retrieval_…: captions that look for their pictures; text_retrieval_…: pictures
// that look for their captions. For each: recall@K, the share of the queries with a right answer among the
// first K (one is enough); precision@K, the share of right answers among the first K; map, the mean average
// precision over the whole ranking. A wrong answer that ties with a right one counts as better than it.
// A caption without a word is that caption's error and asks nothing. Errors: invalid_argument without pairs,
// with places out of range, or for a 0 in `top`; cancelled.
MOA_API Evaluation evaluate_retrieval(const Model& model, const CaptionedPictures& set,
                                      const RetrievalOptions& options = {});

struct LinearProbeOptions {
  // The inverse strength of the L2 penalty, as scikit-learn's LogisticRegression calls it; empty: the best on
  // a held-out fifth of the training pictures, of thirteen from 1e-3 to 1e3.
  std::optional<double> c = {};
  std::size_t iterations = 1000;  // at most, of L-BFGS
  std::vector<std::size_t> top = {1, 5};
  BootstrapOptions bootstrap = {};
  EmbedOptions embed = {};
};

// Softmax regression on the vectors of `train`, tried on `test`: "lp_acc1", "lp_acc5",
// "lp_mean_per_class_recall", "lp_c" (the C that was used, not a share). Vectors are on the unit sphere, as
// CLIP_benchmark has them, or with `embed.raw`, as CLIP's own script has them, as the projection leaves them.
// The two sets have the same class names. The errors are those of `test`'s pictures; a training picture that
// fails is left out. Errors: invalid_argument as above, or if fewer than two classes are left to learn.
MOA_API Evaluation evaluate_linear_probe(const Model& model, const LabelledPictures& train,
                                         const LabelledPictures& test,
                                         const LinearProbeOptions& options = {});

// Splits a set for a linear probe: of each class `share` of its pictures, at least one, go into the second.
// Errors: invalid_argument if a class has fewer than two pictures.
MOA_API std::pair<LabelledPictures, LabelledPictures> split_by_class(const LabelledPictures& set,
                                                                     double share, std::uint64_t seed);

}  // namespace moa
