// What the tests of collections play with: a folder that goes away, files in it, and a model that is none.
#pragma once

#include <gtest/gtest.h>

#include <stdlib.h>

#include <cmath>
#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <vector>

#include "base/hash.hpp"
#include "search/opened.hpp"

namespace moa::search {

inline constexpr std::int64_t kDim = 24;  // no multiple of the lanes of a dot product

class TemporaryFolder {
 public:
  explicit TemporaryFolder(const std::filesystem::path& parent = std::filesystem::temp_directory_path()) {
    std::string name = (parent / "moa-search-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = std::filesystem::canonical(name);
  }
  ~TemporaryFolder() {
    std::error_code ignored;
    std::filesystem::remove_all(path_, ignored);
  }
  TemporaryFolder(const TemporaryFolder&) = delete;
  TemporaryFolder& operator=(const TemporaryFolder&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::filesystem::path operator/(const std::string& inside) const { return path_ / inside; }

 private:
  std::filesystem::path path_;
};

inline void write(const std::filesystem::path& path, const std::string& content) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path, std::ios::binary) << content;
}

inline std::string read(const std::filesystem::path& path) {
  std::ostringstream content;
  content << std::ifstream(path, std::ios::binary).rdbuf();
  return content.str();
}

// A point of the unit sphere that depends on every byte of `content`.
inline std::vector<float> vector_of(const std::string& content) {
  std::vector<float> vector;
  double square = 0;
  for (std::int64_t i = 0; i < kDim; ++i) {
    ContentHash hash;
    hash.update(content);
    hash.update(std::to_string(i));
    vector.push_back(static_cast<float>(std::stoi(hash.hex().substr(0, 6), nullptr, 16)) / 0x800000 - 1);
    square += static_cast<double>(vector.back()) * vector.back();
  }
  for (float& value : vector) value = static_cast<float>(value / std::sqrt(square));
  return vector;
}

// Files that begin with "picture" have a vector, those that begin with "broken" an error, others are skipped.
struct FakeModel {
  std::size_t embedded = 0;
  std::vector<std::string> paths;

  Embedder embedder() {
    Embedder result;
    result.recognises = [](std::span<const std::byte> first_bytes) {
      const std::string_view text(reinterpret_cast<const char*>(first_bytes.data()), first_bytes.size());
      return text.starts_with("picture") || text.starts_with("broken");
    };
    result.embed = [this](std::span<const std::string> asked, const Embedder::Deliver& deliver) {
      for (std::size_t i = 0; i < asked.size(); ++i) {
        paths.push_back(asked[i]);
        ++embedded;
        const std::string content = read(asked[i]);
        const Error error(ErrorCode::corrupt_data, "broken: " + asked[i]);
        content.starts_with("broken") ? deliver(i, {}, &error) : deliver(i, vector_of(content), nullptr);
      }
    };
    return result;
  }
};

inline Target target(const std::string& identity = "0123456789abcdef") {
  return {"fake", identity, kDim};
}

// A folder "photos" to be indexed and an index beside it.
class CollectionTest : public ::testing::Test {
 protected:
  TemporaryFolder folder_;
  std::filesystem::path photos_ = folder_ / "photos";
  std::filesystem::path file_ = folder_ / "data/photos.sqlite";
  FakeModel model_;

  void SetUp() override { std::filesystem::create_directories(photos_); }

  Opened open(Collection::Mode mode = Collection::Mode::open_or_create, const Target& of = target()) const {
    return Opened(file_, of, mode);
  }
  UpdateReport update(Opened& opened, const UpdateOptions& options = {}) {
    const std::vector<std::filesystem::path> places = {photos_};
    return opened.update(places, model_.embedder(), options);
  }
  UpdateReport update() {
    Opened opened = open();
    return update(opened);
  }
  // Paths inside `photos_`, best first.
  std::vector<std::string> search(const Opened& opened, const std::string& content,
                                  const SearchOptions& options = {}) const {
    std::vector<std::string> paths;
    for (const Found& found : opened.search(vector_of(content), options)) {
      paths.push_back(std::filesystem::path(found.path).lexically_relative(photos_).string());
    }
    return paths;
  }
};

// The code that `act` fails with; a test failure if it does not fail.
template <typename Act>
ErrorCode code_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "expected an error";
  return ErrorCode::internal;
}

}  // namespace moa::search
