#include "cli/output.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <utility>

#include <moa/error.hpp>

namespace moa::cli {
namespace {

constexpr std::size_t kBufferBytes = 65536;

[[noreturn]] void fail(const std::string& attempted, const std::string& where) {
  throw Error(ErrorCode::io_error, "cannot " + attempted + " '" + where + "': " + std::strerror(errno));
}

// The permissions of a new file, or of the one that is replaced.
mode_t permissions_for(const std::filesystem::path& path) {
  struct stat existing {};
  if (::stat(path.c_str(), &existing) == 0) return existing.st_mode & 07777;
  const mode_t mask = ::umask(0);
  ::umask(mask);
  return 0666 & ~mask;
}

}  // namespace

struct Output::State {
  int fd = -1;
  std::string name;       // for messages
  std::string temporary;  // path of the unfinished file; empty: written directly
  std::string final_path;
  std::string buffer;

  ~State() {
    if (!temporary.empty()) ::unlink(temporary.c_str());
    if (fd > STDERR_FILENO) ::close(fd);
  }

  void send(std::string_view bytes) {
    while (!bytes.empty()) {
      const ssize_t sent = ::write(fd, bytes.data(), bytes.size());
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EPIPE && fd == STDOUT_FILENO) throw ClosedPipe{};
      if (sent < 0) fail("write to", name);
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
  }
};

Output::Output(std::unique_ptr<State> state) : state_(std::move(state)) {}
Output::Output(Output&&) noexcept = default;
Output::~Output() = default;

Output Output::to_stdout() {
  auto state = std::make_unique<State>();
  state->fd = STDOUT_FILENO;
  state->name = "standard output";
  return Output(std::move(state));
}

Output Output::to_file(const std::filesystem::path& path) {
  auto state = std::make_unique<State>();
  state->name = path.string();
  struct stat existing {};
  const bool exists = ::stat(path.c_str(), &existing) == 0;
  if (exists && S_ISDIR(existing.st_mode)) {
    errno = EISDIR;
    fail("write to", state->name);
  }
  if (exists && !S_ISREG(existing.st_mode)) {
    state->fd = ::open(path.c_str(), O_WRONLY | O_CLOEXEC);
    if (state->fd < 0) fail("open", state->name);
    return Output(std::move(state));
  }
  // A link is written through, as a plain open would do it.
  std::error_code broken;
  const std::filesystem::path target = std::filesystem::weakly_canonical(path, broken);
  state->final_path = broken ? path.string() : target.string();
  state->temporary = state->final_path + ".XXXXXX";
  state->fd = ::mkostemp(state->temporary.data(), O_CLOEXEC);
  if (state->fd < 0) {
    state->temporary.clear();
    fail("create", state->name);
  }
  if (::fchmod(state->fd, permissions_for(state->final_path)) != 0)
    fail("set the permissions of", state->name);
  return Output(std::move(state));
}

Output Output::open(const std::optional<std::string>& path) {
  return path && *path != "-" ? to_file(*path) : to_stdout();
}

void Output::write(std::string_view bytes) {
  state_->buffer += bytes;
  if (state_->buffer.size() >= kBufferBytes) flush();
}

void Output::flush() {
  // Taken out first: bytes that could not be sent are not tried again.
  const std::string bytes = std::exchange(state_->buffer, {});
  state_->send(bytes);
}

void Output::finish() {
  flush();
  if (state_->temporary.empty()) return;
  if (::fsync(state_->fd) != 0) fail("write to", state_->name);
  if (::rename(state_->temporary.c_str(), state_->final_path.c_str()) != 0)
    fail("put in its place", state_->name);
  state_->temporary.clear();
}

bool Output::is_terminal() const {
  return ::isatty(state_->fd) == 1;
}

void write_whole_file(const std::filesystem::path& path, std::string_view content) {
  Output output = Output::to_file(path);
  output.write(content);
  output.finish();
}

}  // namespace moa::cli
