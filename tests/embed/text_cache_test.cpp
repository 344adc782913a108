#include "embed/text_cache.hpp"

#include <gtest/gtest.h>

#include <sys/wait.h>
#include <unistd.h>

#include <fstream>
#include <iterator>
#include <string>

#include "base/temporary_directory.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

class TextCacheFile : public ::testing::Test {
 protected:
  TextCacheOptions options(const std::string& owner = "model") const {
    return {.memory_bytes = 0, .file = folder_.path() / "cache" / "texts", .owner = owner};
  }
  void put(const std::string& key, const KnownVector& known) const {
    TextCache cache(options());
    cache.insert(key, known);
    cache.write();
  }

  testing::TemporaryDirectory folder_;
  const KnownVector known_{{0.1F, -2.5e-30F, 3.0F}, true};
};

TEST_F(TextCacheFile, KeepsVectorsFromOneRunToTheNext) {
  put("a\nb", known_);
  TextCache cache(options());
  const std::optional<KnownVector> found = cache.find("a\nb");
  ASSERT_TRUE(found);
  EXPECT_EQ(found->vector, known_.vector);
  EXPECT_TRUE(found->truncated);
  EXPECT_FALSE(cache.find("b"));
}

TEST_F(TextCacheFile, IsReadableByItsOwnerAlone) {
  put("a", known_);
  EXPECT_EQ(fs::status(options().file).permissions(), fs::perms::owner_read | fs::perms::owner_write);
}

TEST_F(TextCacheFile, AnotherModelFindsNothing) {
  put("a", known_);
  EXPECT_FALSE(TextCache(options("model 2")).find("a"));
}

TEST_F(TextCacheFile, IsMadeAnewWhereItIsDamaged) {
  for (const std::string& content : {std::string("no database"), std::string(8192, 'x')}) {
    fs::create_directories(options().file.parent_path());
    std::ofstream(options().file, std::ios::binary | std::ios::trunc) << content;
    put("a", known_);
    EXPECT_TRUE(TextCache(options()).find("a"));
  }
}

TEST_F(TextCacheFile, AVectorOfWhichABitHasTurnedIsNotTaken) {
  put("a", known_);
  std::fstream file(options().file, std::ios::binary | std::ios::in | std::ios::out);
  std::string content((std::istreambuf_iterator<char>(file)), {});
  const std::string number(reinterpret_cast<const char*>(known_.vector.data()), sizeof(float));
  const std::size_t at = content.find(number);
  ASSERT_NE(at, std::string::npos);
  file.clear();
  file.seekp(static_cast<std::streamoff>(at + 1));
  file.put(static_cast<char>(content[at + 1] ^ 1));
  file.close();
  EXPECT_FALSE(TextCache(options()).find("a"));
  put("a", known_);  // computed again
  EXPECT_TRUE(TextCache(options()).find("a"));
}

TEST_F(TextCacheFile, AFolderThatCannotBeMadeIsNoError) {
  TextCacheOptions nowhere = options();
  std::ofstream(folder_.path() / "file") << "x";
  nowhere.file = folder_.path() / "file" / "texts";
  TextCache cache(nowhere);
  cache.insert("a", known_);
  cache.write();
  EXPECT_FALSE(cache.find("a"));
}

TEST_F(TextCacheFile, StaysWithinItsSize) {
  TextCacheOptions small = options();
  small.most_file_bytes = 200'000;
  {
    TextCache cache(small);
    for (int i = 0; i < 3000; ++i) {
      cache.insert("text " + std::to_string(i) + std::string(100, '.'), known_);
      if (i % 100 == 99) cache.write();
    }
  }
  EXPECT_LT(fs::file_size(small.file), 300'000U);
  TextCache cache(small);
  EXPECT_FALSE(cache.find("text 0" + std::string(100, '.')));
  EXPECT_TRUE(cache.find("text 2999" + std::string(100, '.')));
}

TEST_F(TextCacheFile, ManyProcessesMayWriteAtOnce) {
  constexpr int kProcesses = 4;
  for (int process = 0; process < kProcesses; ++process) {
    if (::fork() == 0) {
      TextCache cache(options());
      for (int i = 0; i < 20; ++i) {
        cache.insert("text " + std::to_string(i), known_);
        cache.write();
      }
      ::_exit(0);
    }
  }
  for (int process = 0; process < kProcesses; ++process) ::wait(nullptr);
  TextCache cache(options());
  for (int i = 0; i < 20; ++i) EXPECT_TRUE(cache.find("text " + std::to_string(i))) << i;
}

}  // namespace
}  // namespace moa
