#include "pull/http.hpp"

#include <curl/curl.h>

#include <algorithm>
#include <cctype>
#include <exception>
#include <mutex>
#include <utility>

#include <moa/error.hpp>

#include "base/cancellation.hpp"

namespace moa {
namespace {

constexpr int kMaxRedirects = 8;
constexpr long kConnectTimeoutSeconds = 30;
constexpr long kStallSeconds = 60;  // with less than a byte a second
constexpr std::size_t kMaxHeaders = 200;
constexpr std::size_t kMaxUnreadBytes = 1u << 20;

bool is_redirect(long status) {
  return status == 301 || status == 302 || status == 303 || status == 307 || status == 308;
}

// "https://host:port/path" -> "https://host:port".
std::string_view origin_of(std::string_view url) {
  const std::size_t scheme = url.find("://");
  return scheme == std::string_view::npos ? url : url.substr(0, url.find_first_of("/?#", scheme + 3));
}

std::string lower_case(std::string_view text) {
  std::string lower(text);
  std::ranges::transform(lower, lower.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return lower;
}

std::string_view trim(std::string_view text) {
  constexpr std::string_view kSpace = " \t\r\n";
  const std::size_t begin = text.find_first_not_of(kSpace);
  if (begin == std::string_view::npos) return {};
  return text.substr(begin, text.find_last_not_of(kSpace) - begin + 1);
}

void start_curl_once() {
  static std::once_flag once;
  std::call_once(once, [] { curl_global_init(CURL_GLOBAL_DEFAULT); });
}

}  // namespace

// One request and what came of it. libcurl calls back from inside C, through which no exception may go: it
// waits in `error`.
struct HttpClient::Transfer {
  CURL* curl;
  HttpReceiver* receiver;
  const std::atomic<bool>* cancelled;
  HttpHeaders* endpoint_headers;
  bool at_endpoint;
  HttpResponse response;
  std::size_t unread_bytes = 0;
  bool has_begun = false;
  bool is_wanted = true;
  std::exception_ptr error;

  bool is_body() const { return response.status == 200 || response.status == 206; }

  void begin() {
    if (std::exchange(has_begun, true) || !is_body()) return;
    is_wanted = receiver->begin(response, *endpoint_headers);
  }

  static std::size_t take_header(char* data, std::size_t, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    const std::string_view line(data, count);
    const std::size_t colon = line.find(':');
    if (line.starts_with("HTTP/")) {  // anew, after "100 Continue"
      transfer.response.headers.clear();
    } else if (colon != std::string_view::npos && transfer.response.headers.size() < kMaxHeaders) {
      const std::string name = lower_case(trim(line.substr(0, colon)));
      const std::string_view value = trim(line.substr(colon + 1));
      transfer.response.headers[name] = value;
      if (transfer.at_endpoint) (*transfer.endpoint_headers)[name] = value;
    }
    return count;
  }

  static std::size_t take_body(char* data, std::size_t, std::size_t count, void* self) {
    auto& transfer = *static_cast<Transfer*>(self);
    try {
      curl_easy_getinfo(transfer.curl, CURLINFO_RESPONSE_CODE, &transfer.response.status);
      if (!transfer.is_body()) {  // of an error or a redirect: short, and read so that the connection stays
        transfer.unread_bytes += count;
        return transfer.unread_bytes <= kMaxUnreadBytes ? count : 0;
      }
      transfer.begin();
      if (!transfer.is_wanted) return 0;  // ends the transfer
      transfer.receiver->receive({reinterpret_cast<const std::byte*>(data), count});
      return count;
    } catch (...) {
      transfer.error = std::current_exception();
      return 0;
    }
  }

  static int watch(void* self, curl_off_t, curl_off_t, curl_off_t, curl_off_t) {
    return is_raised(static_cast<Transfer*>(self)->cancelled) ? 1 : 0;
  }
};

HttpClient::HttpClient(std::string endpoint, std::string token, const std::atomic<bool>* cancelled)
    : endpoint_(std::move(endpoint)),
      token_(std::move(token)),
      cancelled_(cancelled),
      curl_(nullptr, &curl_easy_cleanup) {
  while (endpoint_.ends_with('/')) endpoint_.pop_back();
  const bool has_scheme = endpoint_.starts_with("https://") || endpoint_.starts_with("http://");
  const auto is_plain = [](const std::string& text) {
    return std::ranges::all_of(text, [](unsigned char c) { return c > ' ' && c < 0x7F; });
  };
  if (!has_scheme || !is_plain(endpoint_)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot use the endpoint '" + endpoint_ + "': expected https://HOST or http://HOST");
  }
  if (!is_plain(token_)) {
    throw Error(ErrorCode::invalid_argument, "cannot use the token: it holds characters that no token has");
  }
  start_curl_once();
  curl_.reset(curl_easy_init());
  if (curl_ == nullptr) throw Error(ErrorCode::internal, "libcurl does not start");
}

HttpClient::~HttpClient() = default;

HttpResponse HttpClient::get(const std::string& path, std::uint64_t first_byte, HttpReceiver& receiver) {
  CURL* curl = curl_.get();
  std::string url = endpoint_ + path;
  const std::string endpoint_origin(origin_of(url));
  HttpHeaders endpoint_headers;
  for (int redirects = 0; redirects <= kMaxRedirects; ++redirects) {
    const bool at_endpoint = origin_of(url) == endpoint_origin;
    Transfer transfer{.curl = curl,
                      .receiver = &receiver,
                      .cancelled = cancelled_,
                      .endpoint_headers = &endpoint_headers,
                      .at_endpoint = at_endpoint,
                      .response = {},
                      .error = {}};
    const std::string range = std::to_string(first_byte) + "-";
    curl_easy_reset(curl);
    char reason[CURL_ERROR_SIZE] = "";
    curl_easy_setopt(curl, CURLOPT_URL, url.c_str());
    // A redirect may lead from http to https, never back.
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR,
                     endpoint_origin.starts_with("https:") ? "https" : "http,https");
    curl_easy_setopt(curl, CURLOPT_USERAGENT, "moa");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, reason);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, kConnectTimeoutSeconds);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
    curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME, kStallSeconds);
    if (first_byte > 0) curl_easy_setopt(curl, CURLOPT_RANGE, range.c_str());
    if (at_endpoint && !token_.empty()) {
      curl_easy_setopt(curl, CURLOPT_HTTPAUTH, CURLAUTH_BEARER);
      curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, token_.c_str());
    }
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, &Transfer::take_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, &Transfer::take_body);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, &transfer);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, &Transfer::watch);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, &transfer);

    const CURLcode result = curl_easy_perform(curl);
    curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &transfer.response.status);
    if (transfer.error) std::rethrow_exception(transfer.error);
    if (cancelled_ != nullptr && cancelled_->load()) {
      throw Error(ErrorCode::cancelled, "the download of " + url + " was interrupted");
    }
    const bool ended_by_us = result == CURLE_WRITE_ERROR;  // a body that nobody wants
    if (result != CURLE_OK && !ended_by_us) {
      throw HttpInterruption{*reason != '\0' ? std::string(reason) : curl_easy_strerror(result)};
    }
    char* next = nullptr;
    curl_easy_getinfo(curl, CURLINFO_REDIRECT_URL, &next);
    if (!is_redirect(transfer.response.status) || next == nullptr) {
      transfer.begin();  // of an empty body
      return transfer.response;
    }
    url = next;
  }
  throw HttpInterruption{"more than " + std::to_string(kMaxRedirects) + " redirects"};
}

}  // namespace moa
