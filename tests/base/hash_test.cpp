#include "base/hash.hpp"

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace moa {
namespace {

// Values of `xxhsum -H2` 0.8.1.
TEST(ContentHash, IsXxh3) {
  EXPECT_EQ(content_hash({}), "99aa06d3014798d86001c324468d497f");
  EXPECT_EQ(content_hash(as_bytes("moa")), "df363265039251846aade68522d530ff");
}

TEST(ContentHash, DoesNotDependOnThePieces) {
  const std::string text(10'000, 'q');
  for (const std::size_t piece : {1u, 7u, 240u, 4096u}) {
    ContentHash hash;
    for (std::size_t at = 0; at < text.size(); at += piece) hash.update(text.substr(at, piece));
    EXPECT_EQ(hash.hex(), content_hash(as_bytes(text)));
  }
}

TEST(ContentHash, GoesOnAfterItWasRead) {
  ContentHash hash;
  hash.update("a");
  EXPECT_EQ(hash.hex(), content_hash(as_bytes("a")));
  hash.update("b");
  EXPECT_EQ(hash.hex(), content_hash(as_bytes("ab")));
}

}  // namespace
}  // namespace moa
