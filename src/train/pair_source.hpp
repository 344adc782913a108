// Where the pairs of training come from.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace moa::train {

// A picture, still as a file or as what the tower's trunk gave, and its captions or its class; or a text and
// those that belong to it.
struct RawPair {
  std::string name;  // for messages
  std::string path;  // of the picture; empty: it is in `bytes`
  std::string bytes;
  std::vector<float> features;         // of the picture's trunk (EmbeddingModel), in the picture's place
  std::optional<std::string> text;     // in the picture's place
  std::vector<std::string> captions;   // in a pair that is sound at least one that is not empty
  std::vector<std::string> negatives;  // texts that are near to the captions, and wrong
  std::optional<std::size_t> label;    // of a picture of a class, in the captions' place
  std::uint64_t group = 0;             // which of the epoch it is
};

// The pairs of one epoch, each once, in an order that never changes. Used from one thread at a time.
class PairStream {
 public:
  virtual ~PairStream() = default;
  // Nothing behind the last. What cannot be read (a damaged shard) is thrown, once; the next call goes on
  // behind it. Errors: corrupt_data, io_error, limit_exceeded.
  virtual std::optional<RawPair> next() = 0;
  // Passes over the next `count`, as cheaply as it can; what cannot be read counts as one.
  virtual void skip(std::uint64_t count);
};

// Immutable; safe from any thread. Its streams must not outlive it.
class PairSource {
 public:
  virtual ~PairSource() = default;
  // Seed and epoch alone decide the order.
  virtual std::unique_ptr<PairStream> epoch(std::uint64_t seed, std::uint64_t epoch) const = 0;
  // How many an epoch has, if that is known without reading all of it.
  virtual std::optional<std::uint64_t> size() const = 0;
  // Of pictures with a class each: what RawPair::label counts; empty otherwise.
  virtual std::vector<std::string> class_names() const { return {}; }
};

}  // namespace moa::train
