// Pairs from WebDataset's shards: tar archives in which a picture and its texts lie side by side, with the
// same name up to its first dot.
#pragma once

#include <functional>

#include "train/archive.hpp"
#include "train/pair_source.hpp"

namespace moa::train {

struct ShardOptions {
  std::string caption_key = {};   // of a .json member, where there is no .txt; empty: caption, text or title
  std::string negative_key = {};  // of a .json member: what is near to the captions, and wrong; empty: none
  std::size_t shuffle = 1000;     // pairs that are held back and drawn from; 1: in the order of the shards
};

// In each epoch the shards come in an order drawn anew, and their pairs through a buffer from which each next
// one is drawn. A shard that is damaged is given up from there on.
class ShardSource : public PairSource {
 public:
  using Open = std::function<std::unique_ptr<ArchiveReader>(const std::string& path)>;
  // `open` gives a shard's reader; empty: `paths` are files, read through the component. Errors:
  // invalid_argument without shards; not_found if such a file is not there.
  ShardSource(std::vector<std::string> paths, const ShardOptions& options, Open open = {});

  std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const override;
  std::optional<std::uint64_t> size() const override { return std::nullopt; }

 private:
  std::vector<std::string> paths_;
  ShardOptions options_;
  Open open_;
};

// "shards/{000..012}.tar" as the thirteen names it stands for, as open_clip writes it; any other name is
// itself. Errors: invalid_argument (not two numbers), limit_exceeded (above a million).
std::vector<std::string> expand_braces(const std::string& pattern);

}  // namespace moa::train
