// Where results go: stdout, or the file of -o.
#pragma once

#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace moa::cli {

// Thrown when the reader of stdout is gone: main then ends quietly.
struct ClosedPipe {};

// A stream of bytes. A file appears whole or not at all: it is written beside its place and put there by
// finish(); without finish() nothing is left behind. A device or pipe given by name is written directly.
// Errors: io_error with the path.
class Output {
 public:
  static Output to_stdout();
  static Output to_file(const std::filesystem::path& path);
  // The file if there is one, otherwise (and for "-") stdout.
  static Output open(const std::optional<std::string>& path);

  Output(Output&&) noexcept;
  ~Output();

  void write(std::string_view bytes);
  // Sends what is buffered, so that a reader sees it now.
  void flush();
  // Flushes, and puts a file in its place, synced to disk.
  void finish();
  bool is_terminal() const;

 private:
  struct State;
  explicit Output(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

// Replaces `path` as Output does, in one go.
void write_whole_file(const std::filesystem::path& path, std::string_view content);

}  // namespace moa::cli
