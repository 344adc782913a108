// Reading one file far enough to know what is to be done with it.
#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <span>
#include <string>

#include <moa/error.hpp>

#include "search/catalogue.hpp"

namespace moa::search {

// Whether a file that begins with these bytes may be of a kind that is embedded.
using Recognises = std::function<bool(std::span<const std::byte> first_bytes)>;

struct Examined {
  enum class Outcome {
    gone,     // removed since it was listed
    skipped,  // not recognised
    failed,   // `error` says why
    readable,
  };
  Outcome outcome = Outcome::gone;
  FileStamp stamp;
  bool settled = false;           // the content cannot have changed unseen
  std::optional<ContentId> hash;  // nothing, if it would not hold still
  std::optional<Error> error;
};

// `recognises` may be empty: then everything counts as recognised.
Examined examine(const std::string& path, const Recognises& recognises);

// Whether the file at `path` is still the one that was stamped.
bool is_still(const std::string& path, const FileStamp& stamp);

}  // namespace moa::search
