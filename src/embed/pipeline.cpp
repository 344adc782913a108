#include "embed/pipeline.hpp"

#include <algorithm>
#include <cmath>
#include <future>
#include <map>
#include <optional>
#include <system_error>
#include <utility>
#include <vector>

#include <moa/error.hpp>

#include "base/cancellation.hpp"
#include "base/thread_pool.hpp"
#include "embed/item.hpp"
#include "embed/pass_size.hpp"
#include "embed/vector_memory.hpp"

namespace moa {
namespace {

constexpr std::size_t kChunkItems = 64;
// For the vectors of a run's pictures, so that a file that is there twice is decoded and computed once.
constexpr std::size_t kPictureMemoryBytes = std::size_t{16} << 20;

using Chunk = std::vector<PreparedItem>;

Error not_begun() {
  return Error(ErrorCode::cancelled, "interrupted before this input was begun");
}

class Pipeline {
 public:
  Pipeline(const LoadedModel& model, std::span<const Input> inputs, const EmbedOptions& options,
           const ForwardPictures& forward_pictures)
      : model_(model), inputs_(inputs), options_(options), forward_pictures_(forward_pictures) {
    chunk_items_ = options.batch > 0 ? static_cast<std::size_t>(options.batch) : kChunkItems;
    if (inputs.size() > 1) readers_.emplace(model.engine().threads());
  }

  EmbedReport run(const std::function<void(Embedded)>& deliver) {
    EmbedReport report;
    std::future<Chunk>
        next;  // its thread only reads this object, and is waited for before anything of it goes
    if (inputs_.size() > chunk_items_) next = prepare_later(0);
    for (std::size_t begin = 0; begin < inputs_.size(); begin += chunk_items_) {
      Chunk chunk = next.valid() ? next.get() : prepare(begin);
      if (begin + chunk_items_ < inputs_.size()) next = prepare_later(begin + chunk_items_);
      report.computed += forward(chunk, begin);
      for (std::size_t i = 0; i < chunk.size(); ++i) {
        const std::optional<KnownVector>& known = chunk[i].known;
        if (known && known->truncated) {
          ++report.truncated_texts;
          if (!report.first_truncated) report.first_truncated = begin + i;
        }
        std::vector<float> vector;
        try {
          if (known) vector = cut(known->vector, options_);
        } catch (const Error& error) {
          chunk[i].error = error;
        }
        deliver({begin + i, chunk[i].modality, std::move(vector), std::move(chunk[i].error)});
      }
      if (options_.progress) options_.progress(begin + chunk.size());
    }
    model_.text_cache().write();
    return report;
  }

 private:
  Chunk prepare(std::size_t begin) {
    Chunk chunk(std::min(chunk_items_, inputs_.size() - begin));
    const auto prepare_one = [&](std::size_t i) {
      if (is_raised(options_.cancelled)) {
        chunk[i].modality = inputs_[begin + i].kind == Input::Kind::text ? Modality::text : Modality::image;
        chunk[i].error = not_begun();
      } else {
        chunk[i] = prepare_item(model_, inputs_[begin + i], options_, pictures_);
      }
    };
    if (readers_) {
      readers_->parallel_for(chunk.size(), prepare_one);
    } else {
      for (std::size_t i = 0; i < chunk.size(); ++i) prepare_one(i);
    }
    return chunk;
  }

  std::future<Chunk> prepare_later(std::size_t begin) {
    const auto prepare_it = [this, begin] { return prepare(begin); };
    try {
      return std::async(std::launch::async, prepare_it);
    } catch (const std::system_error&) {  // there is no thread to be had: when it is asked for
      return std::async(std::launch::deferred, prepare_it);
    }
  }

  // Gives every item that has not failed its vector. Of items that are the same only the first is computed.
  // Returns how many went through the model. The first item is the call's `first`th.
  std::size_t forward(Chunk& chunk, std::size_t first) {
    std::vector<std::size_t> texts;
    std::vector<std::size_t> pictures;
    std::vector<std::pair<std::size_t, std::size_t>> repeated;  // an item, and the one that it repeats
    std::map<std::string_view, std::size_t> first_text;
    std::map<std::string_view, std::size_t> first_picture;
    for (std::size_t i = 0; i < chunk.size(); ++i) {
      PreparedItem& item = chunk[i];
      const auto* text = std::get_if<PreparedText>(&item.content);
      if (text == nullptr && !std::holds_alternative<PreparedImage>(item.content)) continue;
      if (text == nullptr) item.known = pictures_.find(item.key);  // the chunk before may have had it
      if (item.known) continue;
      const auto [original, is_new] =
          text == nullptr ? first_picture.try_emplace(item.key, i) : first_text.try_emplace(ids_of(*text), i);
      if (!is_new) {
        repeated.emplace_back(i, original->second);
      } else {
        (text == nullptr ? pictures : texts).push_back(i);
      }
    }
    std::size_t computed = in_passes<PreparedText>(
        chunk, texts, first, text_pass_,
        [this](std::span<const PreparedText> pass) { return model_.embed_texts(pass, options_.raw); });
    computed += in_passes<PreparedImage>(
        chunk, pictures, first + computed, picture_pass_, [this](std::span<const PreparedImage> pass) {
          return forward_pictures_ ? forward_pictures_(pass) : model_.embed_images(pass, options_.raw);
        });
    for (const auto& [item, original] : repeated) {
      chunk[item].known = chunk[original].known;
      chunk[item].error = chunk[original].error;
      // A text that was cut may be the same to the model as one that ended there.
      const auto* text = std::get_if<PreparedText>(&chunk[item].content);
      if (text != nullptr && chunk[item].known) chunk[item].known->truncated = text->truncated;
    }
    for (const std::size_t i : texts) remember(model_.text_cache(), chunk[i]);
    for (const std::size_t i : pictures) remember(pictures_, chunk[i]);
    return computed;
  }

  // Two texts with the same ids are the same text to the model.
  static std::string_view ids_of(const PreparedText& text) {
    const std::span<const std::byte> bytes = std::as_bytes(std::span(text.ids));
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }

  template <typename Memory>
  static void remember(Memory& memory, const PreparedItem& item) {
    if (item.known) memory.insert(item.key, *item.known);
  }

  // Runs `embed` over the chosen items, cut so that the work of a pass stays below `size` (one item may
  // exceed it alone). Returns how many there were before the caller interrupted; the others fail as
  // cancelled. `done` inputs were before them.
  template <typename Content, typename Embed>
  std::size_t in_passes(Chunk& chunk, const std::vector<std::size_t>& chosen, std::size_t done,
                        PassSize& size, Embed embed) {
    std::size_t begin = 0;
    while (begin < chosen.size()) {
      if (options_.progress) options_.progress(done + begin);
      if (is_raised(options_.cancelled)) break;
      std::size_t end = begin;
      std::vector<Content> pass;
      std::int64_t total = 0;
      for (; end < chosen.size(); ++end) {
        auto& content = std::get<Content>(chunk[chosen[end]].content);
        const std::int64_t more = work_of(content, model_.facts());
        if (!size.takes(total, more)) break;
        total += more;
        pass.push_back(std::move(content));
      }
      const std::int64_t before = model_.engine().multiply_adds();
      run_pass<Content>(chunk, std::span(chosen).subspan(begin, end - begin), pass, embed);
      size.learn(total, model_.engine().multiply_adds() - before);
      begin = end;
    }
    for (const std::size_t i : std::span(chosen).subspan(begin)) chunk[i].error = not_begun();
    return begin;
  }

  template <typename Content, typename Embed>
  void run_pass(Chunk& chunk, std::span<const std::size_t> chosen, std::span<const Content> pass,
                Embed embed) {
    try {
      const std::vector<float> rows = embed(pass);
      const std::size_t width = rows.size() / pass.size();
      for (std::size_t i = 0; i < pass.size(); ++i) {
        const std::span<const float> row = std::span(rows).subspan(i * width, width);
        if (!std::ranges::all_of(row, [](float value) { return std::isfinite(value); })) {
          chunk[chosen[i]].error =
              Error(ErrorCode::corrupt_data,
                    "cannot embed: the model's vector holds NaN or infinity, expected numbers; "
                    "a weight or a sum inside is not finite");
        } else if (!options_.raw && !is_on_unit_sphere(row)) {
          chunk[chosen[i]].error = Error(ErrorCode::corrupt_data,
                                         "cannot embed: the model's vector has no direction, its numbers are "
                                         "all 0 or too large to be added up");
        } else {
          chunk[chosen[i]].known = KnownVector{{row.begin(), row.end()}, is_truncated(pass[i])};
        }
      }
    } catch (const Error& error) {
      if (pass.size() == 1) {
        chunk[chosen.front()].error = error;
        return;
      }
      // One item's fault must not be its neighbours': each on its own.
      for (std::size_t i = 0; i < pass.size(); ++i)
        run_pass<Content>(chunk, chosen.subspan(i, 1), pass.subspan(i, 1), embed);
    }
  }

  // Of a row that may have more behind the vector. What rounding to 16 bits moves is far less.
  bool is_on_unit_sphere(std::span<const float> row) const {
    constexpr double kMost = 0.05;
    double squares = 0;
    for (const float value : row.first(static_cast<std::size_t>(model_.facts().dim())))
      squares += static_cast<double>(value) * value;
    return std::abs(squares - 1) < kMost;
  }

  static bool is_truncated(const PreparedText& text) { return text.truncated; }
  static bool is_truncated(const PreparedImage&) { return false; }

  const LoadedModel& model_;
  std::span<const Input> inputs_;
  const EmbedOptions& options_;
  const ForwardPictures& forward_pictures_;
  std::size_t chunk_items_;
  VectorMemory pictures_{kPictureMemoryBytes};
  std::optional<ThreadPool> readers_;
  PassSize text_pass_{kTokensPerPass};
  PassSize picture_pass_{kPixelsPerPass};
};

}  // namespace

std::vector<float> cut(std::span<const float> vector, const EmbedOptions& options) {
  if (options.dim == 0 || options.dim == static_cast<std::int64_t>(vector.size()))
    return {vector.begin(), vector.end()};
  std::vector<float> kept(vector.begin(), vector.begin() + options.dim);
  if (options.raw) return kept;
  double squares = 0;
  for (const float value : kept) squares += static_cast<double>(value) * value;
  if (squares == 0) {
    throw Error(ErrorCode::corrupt_data, "cannot end the vector at dimension " + std::to_string(options.dim) +
                                             ": all up to there are 0, and have no direction");
  }
  const double length = std::sqrt(squares);
  for (float& value : kept) value = static_cast<float>(value / length);
  return kept;
}

EmbedReport embed_in_order(const LoadedModel& model, std::span<const Input> inputs,
                           const EmbedOptions& options, const std::function<void(Embedded)>& deliver,
                           const ForwardPictures& forward_pictures) {
  if (options.dim < 0 || options.dim > model.facts().dim()) {
    throw Error(ErrorCode::invalid_argument, "dim: found " + std::to_string(options.dim) +
                                                 ", expected 1 to the model's " +
                                                 std::to_string(model.facts().dim()));
  }
  if (options.batch < 0 || options.batch > 65536) {
    throw Error(ErrorCode::invalid_argument,
                "batch: found " + std::to_string(options.batch) + ", expected 0 (chosen by work) to 65536");
  }
  return Pipeline(model, inputs, options, forward_pictures).run(deliver);
}

}  // namespace moa
