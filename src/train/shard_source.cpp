#include "train/shard_source.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <system_error>
#include <utility>

#include <moa/error.hpp>

#include "base/component.hpp"
#include "base/config.hpp"
#include "base/file.hpp"
#include "image/picture.hpp"
#include "train/random.hpp"

namespace moa::train {
namespace {

constexpr std::size_t kMostMembers = 64;  // of a pair
constexpr std::uint64_t kMostNames = 1'000'000;
constexpr std::array<std::string_view, 3> kUsualKeys = {"caption", "text", "title"};
constexpr std::array<std::string_view, 13> kPictureEndings = {
    "jpg", "jpeg", "png", "webp", "gif", "bmp", "tif", "tiff", "avif", "heic", "heif", "ppm", "pgm"};

std::unique_ptr<ArchiveReader> open_by_component(const std::string& path) {
  const Component component = Component::open(kShardsComponent);
  std::unique_ptr<ArchiveReader> reader;
  std::string message;
  throw_failure(component.function<OpenArchive>(kOpenArchive)(&path, nullptr, &reader, &message), message);
  return reader;
}

// "a/b.c/000.seg.jpg" is the pair "a/b.c/000" and the ending "seg.jpg".
std::pair<std::string_view, std::string_view> split_name(std::string_view name) {
  const std::size_t slash = name.rfind('/');
  const std::size_t dot = name.find('.', slash == name.npos ? 0 : slash + 1);
  if (dot == name.npos) return {name, {}};
  return {name.substr(0, dot), name.substr(dot + 1)};
}

// In small letters: cameras write ".JPG".
std::string small_letters(std::string_view ending) {
  std::string small(ending);
  for (char& c : small) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  return small;
}

// None if there is no such key.
std::vector<std::string> texts_at(const Config& record, std::string_view key) {
  if (!record.has(key)) return {};
  return record.is_array(key) ? record.strings(key, {}) : std::vector{record.string(key, {})};
}

// What a pair's .json says that nothing else does.
void take_texts(RawPair& pair, const std::string& json, const ShardOptions& options) {
  if (json.empty() || (!pair.captions.empty() && options.negative_key.empty())) return;
  const Config record = Config::parse(json, pair.name + ".json");
  if (!options.negative_key.empty()) pair.negatives = texts_at(record, options.negative_key);
  if (!pair.captions.empty()) return;
  if (!options.caption_key.empty()) {
    pair.captions = texts_at(record, options.caption_key);
    return;
  }
  const auto found = std::ranges::find_if(kUsualKeys, [&](std::string_view key) { return record.has(key); });
  if (found != kUsualKeys.end()) pair.captions = texts_at(record, *found);
}

std::string without_line_end(std::string text) {
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r')) text.pop_back();
  return text;
}

// A name that is misspelt would otherwise cost its shard's pairs in silence.
void expect_all(const std::vector<std::string>& paths) {
  std::error_code ignored;
  for (const std::string& path : paths) {
    if (std::filesystem::exists(path, ignored)) continue;
    throw Error(ErrorCode::not_found, "cannot train on the shard '" + path + "': it is not there");
  }
}

// The pairs of one shard, in its order.
class Shard {
 public:
  Shard(std::string path, std::unique_ptr<ArchiveReader> reader, const ShardOptions& options)
      : path_(std::move(path)), reader_(std::move(reader)), options_(options) {
    advance();
  }

  std::optional<RawPair> next() {
    if (!found_) return std::nullopt;
    RawPair pair;
    const std::string key(split_name(member_).first);
    pair.name = path_ + ": " + key;
    std::string json;
    std::size_t members = 0;
    for (; found_ && split_name(member_).first == key; advance()) {
      if (++members > kMostMembers) {
        throw Error(ErrorCode::limit_exceeded,
                    "cannot read '" + pair.name + "': found more than 64 files of that name");
      }
      const std::string ending = small_letters(split_name(member_).second);
      if (ending == "txt") {
        pair.captions.push_back(without_line_end(content()));
      } else if (ending == "json") {
        json = content();
      } else if (pair.bytes.empty() && std::ranges::find(kPictureEndings, ending) != kPictureEndings.end()) {
        pair.bytes = content();
      }
    }
    take_texts(pair, json, options_);
    return pair;
  }

 private:
  void advance() {
    std::string message;
    std::uint64_t size_bytes = 0;
    check(reader_->next(&member_, &size_bytes, &found_, &message), message);
  }
  std::string content() {
    std::string bytes;
    std::string message;
    check(reader_->read(&bytes, &message), message);
    return bytes;
  }
  // Behind damage nothing is looked for.
  void check(int code, const std::string& message) {
    if (code != 0) found_ = false;
    throw_failure(code, message);
  }

  std::string path_;
  std::unique_ptr<ArchiveReader> reader_;
  const ShardOptions& options_;
  std::string member_;
  bool found_ = false;
};

class ShardStream : public PairStream {
 public:
  ShardStream(std::vector<std::string> paths, const ShardOptions& options, const ShardSource::Open& open,
              Random random)
      : paths_(std::move(paths)), options_(options), open_(open), random_(random) {
    for (std::size_t i = paths_.size(); options_.shuffle > 1 && i > 1; --i)
      std::swap(paths_[i - 1], paths_[random_.below(i)]);
  }

  std::optional<RawPair> next() override {
    while (buffer_.size() < std::max<std::size_t>(options_.shuffle, 1)) {
      std::optional<RawPair> pair = read();
      if (!pair) break;
      pair->group = read_++;
      buffer_.push_back(std::move(*pair));
    }
    if (buffer_.empty()) return std::nullopt;
    std::swap(buffer_[random_.below(buffer_.size())], buffer_.back());
    RawPair pair = std::move(buffer_.back());
    buffer_.pop_back();
    return pair;
  }

 private:
  std::optional<RawPair> read() {
    while (true) {
      if (!shard_) {
        if (opened_ == paths_.size()) return std::nullopt;
        const std::string& path = paths_[opened_++];
        shard_.emplace(path, open_(path), options_);
      }
      if (std::optional<RawPair> pair = shard_->next()) return pair;
      shard_.reset();
    }
  }

  std::vector<std::string> paths_;
  const ShardOptions& options_;
  const ShardSource::Open& open_;
  Random random_;
  std::size_t opened_ = 0;
  std::uint64_t read_ = 0;
  std::optional<Shard> shard_;
  std::vector<RawPair> buffer_;
};

}  // namespace

ShardSource::ShardSource(std::vector<std::string> paths, const ShardOptions& options, Open open)
    : paths_(std::move(paths)), options_(options) {
  const bool are_files = !open;
  open_ = are_files ? open_by_component : std::move(open);
  if (paths_.empty()) throw Error(ErrorCode::invalid_argument, "cannot train without shards");
  if (are_files) expect_all(paths_);
}

std::unique_ptr<PairStream> ShardSource::epoch(std::uint64_t seed, std::uint64_t epoch) const {
  return std::make_unique<ShardStream>(paths_, options_, open_, Random({seed, epoch}));
}

std::vector<std::string> expand_braces(const std::string& pattern) {
  const std::size_t open = pattern.find('{');
  const std::size_t close = pattern.find('}', open);
  const std::size_t dots = pattern.find("..", open);
  if (open == pattern.npos || close == pattern.npos) return {pattern};
  const auto refuse = [&](ErrorCode code, const char* what) {
    throw Error(code, "cannot expand '" + pattern + "': " + what);
  };
  const auto number = [&](std::string_view digits) {
    std::uint64_t value = 0;
    const auto [end, failed] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    if (digits.empty() || failed != std::errc() || end != digits.data() + digits.size())
      refuse(ErrorCode::invalid_argument, "expected two numbers, as in {000..012}");
    return value;
  };
  if (dots == pattern.npos || dots > close) refuse(ErrorCode::invalid_argument, "expected {FIRST..LAST}");
  const std::string_view first_digits = std::string_view(pattern).substr(open + 1, dots - open - 1);
  const std::uint64_t first = number(first_digits);
  const std::uint64_t last = number(std::string_view(pattern).substr(dots + 2, close - dots - 2));
  if (last < first) refuse(ErrorCode::invalid_argument, "the last number is below the first");
  if (last - first >= kMostNames) refuse(ErrorCode::limit_exceeded, "more than a million shards");
  std::vector<std::string> names;
  for (std::uint64_t i = first; i <= last; ++i) {
    std::string digits = std::to_string(i);
    digits.insert(0, first_digits.size() - std::min(digits.size(), first_digits.size()), '0');
    names.push_back(pattern.substr(0, open) + digits + pattern.substr(close + 1));
  }
  return names;
}

}  // namespace moa::train
