#include "pull/digest.hpp"

#include <openssl/evp.h>

#include <algorithm>
#include <memory>
#include <span>

#include <moa/error.hpp>

#include "base/file.hpp"

namespace moa {
namespace {

constexpr std::size_t kSha1Digits = 40;
constexpr std::size_t kSha256Digits = 64;

class Digest {
 public:
  explicit Digest(const EVP_MD* algorithm) : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    check(context_ != nullptr && EVP_DigestInit_ex(context_.get(), algorithm, nullptr) == 1);
  }
  void update(std::span<const std::byte> bytes) {
    check(EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1);
  }
  std::string hex() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned int count = 0;
    check(EVP_DigestFinal_ex(context_.get(), bytes, &count) == 1);
    std::string text;
    for (unsigned int i = 0; i < count; ++i) {
      constexpr std::string_view kDigits = "0123456789abcdef";
      text += kDigits[bytes[i] >> 4];
      text += kDigits[bytes[i] & 15];
    }
    return text;
  }

 private:
  static void check(bool done) {
    if (!done) throw Error(ErrorCode::unsupported, "libcrypto cannot compute SHA-1 or SHA-256 here");
  }
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
};

}  // namespace

bool is_hub_digest(std::string_view text) noexcept {
  return (text.size() == kSha1Digits || text.size() == kSha256Digits) &&
         text.find_first_not_of("0123456789abcdef") == std::string_view::npos;
}

bool has_hub_digest(const std::filesystem::path& file, std::string_view expected) {
  constexpr std::size_t kPieceBytes = 16u << 20;
  const MappedFile mapped = MappedFile::open(file);
  const bool is_git = expected.size() == kSha1Digits;
  Digest digest(is_git ? EVP_sha1() : EVP_sha256());
  if (is_git) {  // git hashes a header before the content
    const std::string header = "blob " + std::to_string(mapped.bytes().size());
    digest.update(as_bytes(std::string_view(header.c_str(), header.size() + 1)));
  }
  for (std::span<const std::byte> rest = mapped.bytes(); !rest.empty();) {
    const std::span<const std::byte> piece = rest.first(std::min(kPieceBytes, rest.size()));
    digest.update(piece);
    drop_pages(piece);
    rest = rest.subspan(piece.size());
  }
  return digest.hex() == expected;
}

}  // namespace moa
