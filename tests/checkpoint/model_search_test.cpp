#include "checkpoint/model_search.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <map>

#include "base/expect_error.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors_bytes.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using testing::TemporaryDirectory;

Environment environment(std::map<std::string, std::string> variables) {
  return [variables = std::move(variables)](const char* name) -> std::optional<std::string> {
    const auto found = variables.find(name);
    if (found == variables.end()) return std::nullopt;
    return found->second;
  };
}

TEST(HubCache, IsWhereTheHubsToolsPutIt) {
  EXPECT_EQ(hub_cache_directory(environment({})), fs::path());
  EXPECT_EQ(hub_cache_directory(environment({{"HOME", "/h"}})), "/h/.cache/huggingface/hub");
  EXPECT_EQ(hub_cache_directory(environment({{"HOME", "/h"}, {"XDG_CACHE_HOME", "/x"}})),
            "/x/huggingface/hub");
  EXPECT_EQ(hub_cache_directory(environment({{"HOME", "/h"}, {"XDG_CACHE_HOME", "relative"}})),
            "/h/.cache/huggingface/hub");
  EXPECT_EQ(hub_cache_directory(environment({{"HOME", "/h"}, {"HF_HOME", "~/hf"}})), "/h/hf/hub");
  EXPECT_EQ(hub_cache_directory(environment({{"HF_HOME", "/hf"}, {"HF_HUB_CACHE", "/hub"}})), "/hub");
  EXPECT_EQ(hub_cache_directory(environment({{"HF_HOME", "/hf"}, {"HF_HUB_CACHE", ""}})), "/hf/hub");
}

bool looks_in(const ModelSearch& where, const fs::path& place) {
  return std::ranges::find(where.bundled, place) != where.bundled.end();
}

TEST(ModelSearch, LooksForBundledModelsAroundCommandAndLibrary) {
  EXPECT_TRUE(
      looks_in(ModelSearch::from(environment({}), {"/usr/local/bin/moa"}), "/usr/local/share/moa/models"));
  EXPECT_TRUE(looks_in(ModelSearch::from(environment({}), {"/opt/moa/lib/x86_64-linux-gnu/libmoa.so.0"}),
                       "/opt/moa/share/moa/models"));
  EXPECT_TRUE(looks_in(ModelSearch::from(environment({}), {"/src/build/release/moa"}), "/src/models"));
  EXPECT_TRUE(looks_in(ModelSearch::from(environment({}), {"/src/build/release/tests/embed/embed_test"}),
                       "/src/models"));
  EXPECT_TRUE(ModelSearch::from(environment({}), {}).bundled.empty());
}

TEST(ModelSearch, LooksFirstWhereTheUserSays) {
  const ModelSearch where = ModelSearch::from(environment({{"MOA_MODELS_DIR", "/m"}}), {"/usr/bin/moa"});
  EXPECT_EQ(where.bundled.at(0), "/m");
  EXPECT_EQ(where.bundled.at(1), "/usr/share/moa/models");
}

TEST(HubId, ReadsRepositoryAndRevision) {
  const auto id = HubId::parse("openai/clip-vit-base-patch32");
  ASSERT_TRUE(id);
  EXPECT_EQ(id->repository, "openai/clip-vit-base-patch32");
  EXPECT_EQ(id->revision, "main");
  EXPECT_EQ(id->folder(), "models--openai--clip-vit-base-patch32");
  EXPECT_EQ(HubId::parse("gpt2@refs/pr/1")->revision, "refs/pr/1");
  EXPECT_EQ(HubId::parse("gpt2")->folder(), "models--gpt2");
}

TEST(HubId, RefusesWhatCouldLeaveTheCache) {
  for (const char* name :
       {"",         "/",    "a/",   "/a",     "a/b/c", "../a",   "a/..",  "a/.b",  "a@",   "a@..",
        "a@x/../y", "a@/x", "a@x/", "a@x//y", "a b",   "a--b/c", "a/b\n", "한/국", "a@.x", "-a/b"}) {
    EXPECT_FALSE(HubId::parse(name)) << name;
  }
  EXPECT_FALSE(HubId::parse(std::string_view("a\0b", 3)));
  EXPECT_FALSE(HubId::parse(std::string(97, 'a')));
}

class ModelSearchTest : public ::testing::Test {
 protected:
  const std::string commit_ = "0123456789abcdef0123456789abcdef01234567";
  ModelSearchTest() {
    where_.hub_cache = root_.path() / "hub";
    where_.bundled = {root_.path() / "absent", root_.path() / "models"};
    write_model("models/moa-mini");
    write_model("hub/models--org--name/snapshots/" + commit_);
    root_.write("hub/models--org--name/refs/main", commit_ + "\n");
    root_.write("hub/models--org--name/refs/refs/pr/1", commit_);
  }
  void write_model(const fs::path& where) {
    root_.write(where / "config.json", "{}");
    root_.write(where / "model.safetensors", testing::safetensors_bytes("{}"));
  }
  fs::path snapshot() const { return where_.hub_cache / "models--org--name/snapshots" / commit_; }
  TemporaryDirectory root_;
  ModelSearch where_;
};

TEST_F(ModelSearchTest, FindsDirectoriesBundledModelsAndTheCache) {
  EXPECT_EQ(resolve_model(root_.path().string(), where_), root_.path());
  EXPECT_EQ(resolve_model("moa-mini", where_), root_.path() / "models/moa-mini");
  EXPECT_EQ(resolve_model("org/name", where_), snapshot());
  EXPECT_EQ(resolve_model("org/name@main", where_), snapshot());
  EXPECT_EQ(resolve_model("org/name@refs/pr/1", where_), snapshot());
  EXPECT_EQ(resolve_model("org/name@" + commit_, where_), snapshot());
}

TEST_F(ModelSearchTest, AFolderThatIsNoModelDoesNotHideABundledOne) {
  const fs::path before = fs::current_path();
  fs::create_directories(root_.path() / "here/moa-mini");
  fs::current_path(root_.path() / "here");
  EXPECT_EQ(resolve_model("moa-mini", where_), root_.path() / "models/moa-mini");
  write_model("here/moa-mini");
  EXPECT_EQ(resolve_model("moa-mini", where_), "moa-mini");
  fs::current_path(before);
}

TEST_F(ModelSearchTest, AnswersASlipWithTheBundledModel) {
  try {
    resolve_model("moa-miny", where_);
    ADD_FAILURE();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::not_found);
    EXPECT_NE(std::string(error.what()).find("did you mean moa-mini?"), std::string::npos) << error.what();
  }
}

TEST_F(ModelSearchTest, SaysHowToGetAModelThatIsNotThere) {
  for (const char* name :
       {"org/other", "org/name@other", "org/name@0123456789abcdef0123456789abcdef01234568"}) {
    try {
      resolve_model(name, where_);
      ADD_FAILURE() << name;
    } catch (const Error& error) {
      EXPECT_EQ(error.code(), ErrorCode::not_found);
      EXPECT_NE(std::string(error.what()).find("moa pull " + std::string(name)), std::string::npos);
    }
  }
  MOA_EXPECT_ERROR(resolve_model("/no/such/directory", where_), not_found);
  MOA_EXPECT_ERROR(resolve_model("../moa-mini", where_), not_found);
  MOA_EXPECT_ERROR(resolve_model("", where_), invalid_argument);
}

TEST_F(ModelSearchTest, RejectsAReferenceThatIsNoCommit) {
  root_.write("hub/models--org--name/refs/main", "../../../elsewhere");
  MOA_EXPECT_ERROR(resolve_model("org/name", where_), corrupt_data);
}

TEST_F(ModelSearchTest, ListsBundledModelsFirstAndOnlyWholeOnes) {
  root_.write("models/broken/config.json", "{}");
  root_.write("hub/models--org--broken/refs/main", "no commit");
  root_.write("hub/models--org--empty/refs/main", commit_);
  root_.write("hub/datasets--org--data/refs/main", commit_);
  root_.write("hub/models--org--name/refs/v2", commit_);
  const std::string alone(40, 'a');  // a commit that no reference leads to
  write_model("hub/models--org--name/snapshots/" + alone);
  write_model("hub/models--org--name/snapshots/no commit");
  std::vector<std::string> names;
  for (const AvailableModel& model : available_models(where_)) {
    names.push_back(model.name);
    EXPECT_EQ(resolve_model(model.name, where_), model.path);
    EXPECT_EQ(model.bundled, model.name == "moa-mini");
  }
  EXPECT_EQ(names, (std::vector<std::string>{"moa-mini", "org/name", "org/name@refs/pr/1", "org/name@v2",
                                             "org/name@" + alone}));
}

TEST_F(ModelSearchTest, ListsNothingWhereThereIsNothing) {
  EXPECT_TRUE(available_models({}).empty());
  MOA_EXPECT_ERROR(resolve_model("org/name", {}), not_found);
}

}  // namespace
}  // namespace moa
