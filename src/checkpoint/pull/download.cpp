#include "pull/download.hpp"

#include <charconv>
#include <optional>
#include <string_view>
#include <system_error>

#include <moa/error.hpp>

#include "pull/attempts.hpp"
#include "pull/digest.hpp"
#include "pull/partial_file.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

std::optional<std::string> header(const HttpHeaders& headers, const char* name) {
  const auto found = headers.find(name);
  return found == headers.end() ? std::nullopt : std::optional(found->second);
}

std::optional<std::uint64_t> as_size(std::string_view text) {
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// `W/"abc"` -> `abc`.
std::string_view without_quotes(std::string_view tag) {
  if (tag.starts_with("W/")) tag.remove_prefix(2);
  if (tag.size() >= 2 && tag.front() == '"' && tag.back() == '"') tag = tag.substr(1, tag.size() - 2);
  return tag;
}

// "bytes 5-9/10" -> 5 and 10.
struct ContentRange {
  std::optional<std::uint64_t> first;
  std::optional<std::uint64_t> total;
};
ContentRange read_content_range(std::string_view text) {
  constexpr std::string_view kUnit = "bytes ";
  if (!text.starts_with(kUnit)) return {};
  text.remove_prefix(kUnit.size());
  const std::size_t dash = text.find('-');
  const std::size_t slash = text.find('/');
  if (dash == std::string_view::npos || slash == std::string_view::npos) return {};
  return {as_size(text.substr(0, dash)), as_size(text.substr(slash + 1))};
}

class BlobDownload final : public HttpReceiver {
 public:
  BlobDownload(const fs::path& blobs, const BytesProgress& progress) : blobs_(blobs), progress_(progress) {}

  bool begin(const HttpResponse& response, const HttpHeaders& endpoint_headers) override {
    learn_identity(response, endpoint_headers);
    if (is_published()) return false;
    if (!partial_) partial_.emplace(blob().string() + ".incomplete");
    if (is_published()) {  // by another pull, before the partial file was locked here
      partial_->remove();
      return false;
    }
    if (response.status == 206) {
      const ContentRange range = read_content_range(header(response.headers, "content-range").value_or(""));
      if (range.first != asked_from_) {
        throw Error(ErrorCode::corrupt_data,
                    "the hub answered with other bytes of " + digest_ + " than it was asked for");
      }
    } else if (partial_->size_bytes() > 0) {
      if (asked_from_ == 0) return false;  // left by an earlier pull: ask again, from its end
      partial_->clear();                   // this server sends everything, whatever it is asked for
    }
    is_streaming_ = true;
    report();
    return true;
  }

  void receive(std::span<const std::byte> bytes) override {
    if (total_bytes_ && bytes.size() > *total_bytes_ - std::min(partial_->size_bytes(), *total_bytes_)) {
      throw Error(ErrorCode::corrupt_data, "the hub sent more than the " + std::to_string(*total_bytes_) +
                                               " bytes that " + digest_ + " has");
    }
    partial_->append(bytes);
    downloaded_bytes_ += bytes.size();
    report();
  }

  // One or more requests, until the blob is there. Throws HttpInterruption and Error.
  void run(HttpClient& client, const std::string& path) {
    const std::string what = client.endpoint() + path;
    while (!is_there_) {
      if (is_complete()) return publish(what);
      asked_from_ = partial_ ? partial_->size_bytes() : 0;
      is_streaming_ = false;
      const HttpResponse response = client.get(path, asked_from_, *this);
      if (response.status == 416 && asked_from_ > 0) {  // more is there than the file has
        partial_->clear();
        continue;
      }
      check_status(response.status, what);
      if (is_streaming_ && !total_bytes_) total_bytes_ = partial_->size_bytes();
      if (is_streaming_ && !is_complete()) {
        throw HttpInterruption{"found " + std::to_string(partial_->size_bytes()) + " of " +
                               std::to_string(*total_bytes_) + " bytes"};
      }
    }
  }

  FetchedBlob result() const { return {digest_, downloaded_bytes_}; }

 private:
  fs::path blob() const { return blobs_ / digest_; }
  bool is_published() {
    std::error_code ignored;
    return is_there_ = fs::exists(blob(), ignored);
  }
  bool is_complete() const { return partial_ && total_bytes_ && partial_->size_bytes() == *total_bytes_; }

  // The hub says hash and size of a large file in headers of its own (X-Linked-…), as the file itself comes
  // from another server.
  void learn_identity(const HttpResponse& response, const HttpHeaders& endpoint_headers) {
    const std::optional<std::string> linked_tag = header(endpoint_headers, "x-linked-etag");
    const std::string tag = linked_tag ? *linked_tag : header(endpoint_headers, "etag").value_or("");
    const std::string digest(without_quotes(tag));
    if (!is_hub_digest(digest) || (!digest_.empty() && digest != digest_)) {
      throw Error(ErrorCode::corrupt_data, "cannot verify a download: found the ETag '" +
                                               digest.substr(0, 100) + "', expected " +
                                               (digest_.empty() ? "a SHA-256 or git's SHA-1" : digest_));
    }
    digest_ = digest;
    if (const auto linked_size = header(endpoint_headers, "x-linked-size")) {
      total_bytes_ = as_size(*linked_size);
    } else if (response.status == 206) {
      total_bytes_ = read_content_range(header(response.headers, "content-range").value_or("")).total;
    } else {
      total_bytes_ = as_size(header(response.headers, "content-length").value_or(""));
    }
  }

  void publish(const std::string& what) {
    if (!has_hub_digest(partial_->path(), digest_)) {
      partial_->remove();
      throw Error(ErrorCode::corrupt_data,
                  "cannot keep " + what + ": its bytes do not have the hash " + digest_);
    }
    partial_->publish(blob());
    is_there_ = true;
  }

  void report() const { progress_(partial_->size_bytes(), total_bytes_.value_or(0)); }

  const fs::path& blobs_;
  const BytesProgress& progress_;
  std::string digest_;
  std::optional<std::uint64_t> total_bytes_;
  std::optional<PartialFile> partial_;
  std::uint64_t asked_from_ = 0;
  std::uint64_t downloaded_bytes_ = 0;
  bool is_there_ = false;
  bool is_streaming_ = false;  // the last request's body went into the partial file
};

}  // namespace

void check_status(long status, const std::string& what) {
  if (status == 200 || status == 206) return;
  const std::string found = "the hub answered " + std::to_string(status);
  switch (status) {
    case 401:
    case 403:
      throw Error(ErrorCode::not_found,
                  "cannot get " + what + ": " + found +
                      ": there is no such model, or it needs the right token in HF_TOKEN");
    case 404:
    case 410:
      throw Error(ErrorCode::not_found, "cannot get " + what + ": " + found + ": there is no such thing");
    case 429:
    case 503:
      throw HttpInterruption{found, ErrorCode::overloaded};
    default:
      break;
  }
  if (status >= 500 || status == 408) throw HttpInterruption{found};
  throw Error(ErrorCode::io_error, "cannot get " + what + ": " + found + ", expected 200");
}

FetchedBlob fetch_blob(HttpClient& client, const PullRequest& request, const std::string& path,
                       const fs::path& blobs, const BytesProgress& progress) {
  BlobDownload download(blobs, progress);
  with_attempts(request, client.endpoint() + path, [&] { download.run(client, path); });
  return download.result();
}

}  // namespace moa
