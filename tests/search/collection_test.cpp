// moa::Collection with a real model.
#include <filesystem>
#include <functional>
#include <vector>

#include <gtest/gtest.h>

#include <moa/collection.hpp>
#include <moa/error.hpp>

#include "base/temporary_directory.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

ErrorCode code_of(const std::function<void()>& act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  return ErrorCode::internal;
}

TEST(Collection, TakesVectorsOfItsModelOnly) {
  const fs::path checkpoint = fs::path(MOA_TEST_DATA) / "golden/clip/odd_sizes";
  const testing::TemporaryDirectory folder;
  fs::create_directory(folder.path() / "photos");
  fs::copy(checkpoint / "picture0.png", folder.path() / "photos");
  const std::vector<fs::path> places = {folder.path() / "photos"};
  const Model model = Model::load(checkpoint.string());
  const Model narrow = Model::load(checkpoint.string(), {.dtype = "int8"});
  const auto by = [](const Model& with) { return [&with]() -> const Model& { return with; }; };

  Collection collection = Collection::open(folder.path() / "i.moa", "clip", model.identity(), model.dim());
  EXPECT_EQ(code_of([&] { collection.update(places, by(narrow)); }), ErrorCode::model_mismatch);
  EXPECT_EQ(code_of([&] { collection.update(places, {}); }), ErrorCode::invalid_argument);
  EXPECT_EQ(collection.update(places, by(model)).added, 1U);

  Collection other = Collection::open(folder.path() / "o.moa", "clip", model.identity(), 7);
  EXPECT_EQ(code_of([&] { other.update(places, by(model)); }), ErrorCode::model_mismatch);
}

TEST(Collection, OfAModelWithoutItsProcessorIsOneErrorAndKeepsNoFailedFiles) {
  const fs::path checkpoint = fs::path(MOA_TEST_DATA) / "golden/clip/odd_sizes";
  const testing::TemporaryDirectory folder;
  fs::create_directory(folder.path() / "photos");
  fs::copy(checkpoint / "picture0.png", folder.path() / "photos");
  fs::copy(checkpoint, folder.path() / "bare");
  fs::remove(folder.path() / "bare/preprocessor_config.json");
  const std::vector<fs::path> places = {folder.path() / "photos"};
  const Model bare = Model::load((folder.path() / "bare").string());

  const fs::path index = folder.path() / "i.moa";
  Collection collection = Collection::open(index, "clip", bare.identity(), bare.dim());
  EXPECT_EQ(code_of([&] { collection.update(places, [&]() -> const Model& { return bare; }); }),
            ErrorCode::not_found);
  EXPECT_FALSE(fs::exists(index));
}

}  // namespace
}  // namespace moa
