#include "checkpoint/identity.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <chrono>
#include <string>

#include "base/expect_error.hpp"
#include "base/file.hpp"
#include "base/hash.hpp"
#include "base/temporary_directory.hpp"
#include "checkpoint/safetensors_bytes.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using testing::TemporaryDirectory;

void set_age(const fs::path& file, std::chrono::seconds age) {
  fs::last_write_time(file, fs::file_time_type::clock::now() - age);
}

class RememberedHash : public ::testing::Test {
 protected:
  RememberedHash() : file_(directory_.write("big", content_)) { set_age(file_, 1h); }
  std::string hash() { return remembered_content_hash(file_, cache_); }
  fs::path record() {
    struct stat status {};
    ::stat(file_.c_str(), &status);
    return cache_ / "hashes" / (std::to_string(status.st_dev) + "-" + std::to_string(status.st_ino));
  }
  TemporaryDirectory directory_;
  const fs::path cache_ = directory_.path() / "cache";
  const std::string content_ = std::string(20u << 20, 'x');
  const fs::path file_;
};

TEST_F(RememberedHash, IsThatOfTheContent) {
  EXPECT_EQ(hash(), content_hash(as_bytes(content_)));
  EXPECT_EQ(hash(), content_hash(as_bytes(content_)));
  EXPECT_TRUE(fs::exists(record()));
}

TEST_F(RememberedHash, IsNotComputedAgainWhileSizeAndTimeStay) {
  hash();
  std::string text = read_file(record(), 256);
  text.replace(text.size() - 32, 32, std::string(32, 'a'));
  directory_.write(fs::relative(record(), directory_.path()), text);
  EXPECT_EQ(hash(), std::string(32, 'a'));
  set_age(file_, 2h);
  EXPECT_EQ(hash(), content_hash(as_bytes(content_)));
}

TEST_F(RememberedHash, IsComputedWhereTheRecordIsBroken) {
  hash();
  for (const char* text : {"", "x", "20971520 "}) {
    directory_.write(fs::relative(record(), directory_.path()), text);
    EXPECT_EQ(hash(), content_hash(as_bytes(content_)));
  }
}

TEST_F(RememberedHash, IsNotRememberedOfAFileThatWasJustWritten) {
  set_age(file_, 0s);
  hash();
  EXPECT_FALSE(fs::exists(record()));
}

TEST_F(RememberedHash, NeedsNoCache) {
  EXPECT_EQ(remembered_content_hash(file_, {}), content_hash(as_bytes(content_)));
  directory_.write("cache", "a file where the folder should be");
  EXPECT_EQ(hash(), content_hash(as_bytes(content_)));
  MOA_EXPECT_ERROR(remembered_content_hash("/nonexistent", cache_), not_found);
}

std::string identity_of(const TemporaryDirectory& directory, std::string_view salt = "") {
  return model_identity(ModelDirectory::open(directory.path()), salt, directory.path() / "cache");
}

void write_model(const TemporaryDirectory& directory) {
  directory.write("config.json", "{}");
  directory.write("tokenizer.json", "{}");
  directory.write("model.safetensors",
                  testing::SafetensorsBuilder().add("a", "F32", "[1]", std::vector<float>{1}).bytes());
}

TEST(ModelIdentity, DoesNotDependOnThePlace) {
  const TemporaryDirectory one;
  const TemporaryDirectory two;
  write_model(one);
  write_model(two);
  two.write("README.md", "says nothing about vectors");
  EXPECT_EQ(identity_of(one), identity_of(two));
  EXPECT_EQ(identity_of(one).size(), 32u);
}

TEST(ModelIdentity, DependsOnEveryFileThatDecidesAVector) {
  const TemporaryDirectory directory;
  write_model(directory);
  const std::string before = identity_of(directory);
  EXPECT_NE(identity_of(directory, "f32"), before);
  for (const char* name : {"config.json", "tokenizer.json", "preprocessor_config.json"}) {
    directory.write(name, R"({"changed":1})");
    EXPECT_NE(identity_of(directory), before) << name;
    write_model(directory);
    fs::remove(directory.path() / "preprocessor_config.json");
    ASSERT_EQ(identity_of(directory), before);
  }
  directory.write("model.safetensors",
                  testing::SafetensorsBuilder().add("a", "F32", "[1]", std::vector<float>{2}).bytes());
  EXPECT_NE(identity_of(directory), before);
}

TEST(ModelIdentity, DoesNotTakeOneFileForAnother) {
  const TemporaryDirectory directory;
  write_model(directory);
  directory.write("vocab.json", "x");
  const std::string before = identity_of(directory);
  fs::rename(directory.path() / "vocab.json", directory.path() / "vocab.txt");
  EXPECT_NE(identity_of(directory), before);
}

}  // namespace
}  // namespace moa
