// HTTP GET, as the hub needs it, on libcurl.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>

#include <moa/error.hpp>

namespace moa {

// Names in lower case; of a name that comes twice, the last value.
using HttpHeaders = std::map<std::string, std::string>;

struct HttpResponse {
  long status = 0;
  HttpHeaders headers;
};

// Takes a response as it comes. May throw; the transfer then ends and the exception goes to the caller.
class HttpReceiver {
 public:
  virtual ~HttpReceiver() = default;
  // Before the body, and even if that is empty. `endpoint_headers` is what the endpoint itself said on the
  // way, without what other servers say that it redirects to. False: the body is not wanted.
  virtual bool begin(const HttpResponse& response, const HttpHeaders& endpoint_headers) = 0;
  virtual void receive(std::span<const std::byte> bytes) = 0;
};

// The transfer broke, or never began, for a reason that may pass. `code` is for whoever gives up.
struct HttpInterruption {
  std::string reason;
  ErrorCode code = ErrorCode::io_error;
};

// One server and its connections. For one thread.
class HttpClient {
 public:
  // `endpoint`: "https://host[:port]", perhaps with a path that begins every path. `token` is sent to that
  // server only, whatever redirects say. Errors: invalid_argument.
  HttpClient(std::string endpoint, std::string token, const std::atomic<bool>* cancelled);
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  // Gets endpoint + `path` from byte `first_byte` on, following redirects. The receiver sees answers of
  // status 200 and 206 only. Returns the last response. Throws HttpInterruption; Error cancelled; what the
  // receiver throws.
  HttpResponse get(const std::string& path, std::uint64_t first_byte, HttpReceiver& receiver);

  const std::string& endpoint() const noexcept { return endpoint_; }

 private:
  struct Transfer;
  std::string endpoint_;
  std::string token_;
  const std::atomic<bool>* cancelled_;
  std::unique_ptr<void, void (*)(void*)> curl_;
};

}  // namespace moa
