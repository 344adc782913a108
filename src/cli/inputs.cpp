#include "cli/inputs.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <optional>
#include <utility>

#include "base/walk.hpp"
#include "cli/interrupt.hpp"
#include "embed/media_kind.hpp"

namespace moa::cli {
namespace {

constexpr std::size_t kMaxStreamBytes = std::size_t{2} << 30;

// A second reader would find it empty and take that for an answer.
int stdin_once() {
  static bool taken = false;
  if (std::exchange(taken, true)) {
    throw Error(ErrorCode::invalid_argument,
                "cannot read standard input twice: found '-' again, expected it once");
  }
  return STDIN_FILENO;
}

class File {
 public:
  // "-" is stdin.
  explicit File(const std::string& path)
      : path_(path), fd_(path == "-" ? stdin_once() : ::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~File() {
    if (fd_ > STDIN_FILENO) ::close(fd_);
  }
  File(const File&) = delete;
  File& operator=(const File&) = delete;

  bool is_open() const { return fd_ >= 0; }

  // As much as comes, up to `most` bytes.
  std::string read(std::size_t most) {
    if (fd_ < 0) fail("open");
    std::string content;
    std::array<char, 65536> piece;
    while (content.size() < most) {
      const ssize_t got = ::read(fd_, piece.data(), std::min(piece.size(), most - content.size()));
      if (got < 0 && errno == EINTR) {
        throw_if_interrupted();
        continue;
      }
      if (got < 0) fail("read");
      if (got == 0) break;
      content.append(piece.data(), static_cast<std::size_t>(got));
    }
    return content;
  }

  std::string read_all() {
    std::string content = read(kMaxStreamBytes + 1);
    if (content.size() > kMaxStreamBytes) {
      throw Error(ErrorCode::limit_exceeded, "cannot read '" + path_ + "': it holds more than 2 GiB");
    }
    return content;
  }

 private:
  [[noreturn]] void fail(const char* attempted) const {
    const bool absent = errno == ENOENT || errno == ENOTDIR;
    throw Error(absent ? ErrorCode::not_found : ErrorCode::io_error,
                std::string("cannot ") + attempted + " '" + path_ + "': " + std::strerror(errno));
  }

  std::string path_;
  int fd_;
};

// Nothing if the file cannot be read.
std::optional<MediaKind> kind_of(const std::string& path) {
  File file(path);
  if (!file.is_open()) return std::nullopt;
  try {
    const std::string first_bytes = file.read(kMediaSniffBytes);
    return sniff_media(std::as_bytes(std::span(first_bytes)));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    return std::nullopt;
  }
}

bool embeds(const Model& model, MediaKind kind) {
  switch (kind) {
    case MediaKind::picture:
      return model.embeds(Modality::image);
    case MediaKind::audio:
      return model.embeds(Modality::audio);
    case MediaKind::video:
      return model.embeds(Modality::video);
    case MediaKind::text:
    case MediaKind::unknown:
      break;
  }
  return false;
}

void add_folder(InputList& list, const std::string& folder, const Model& model, Console& console) {
  const Walk found = walk(folder, &interrupted());
  for (const UnreadableFolder& unreadable : found.unreadable) {
    warn_of_folder((std::filesystem::path(folder) / unreadable.inside).string(), unreadable.reason, console);
  }
  if (found.files.empty() && found.unreadable.empty()) console.note("found no files in '" + folder + "'");
  for (const WalkedFile& file : found.files) {
    throw_if_interrupted();
    std::string path = (std::filesystem::path(folder) / file.inside).string();
    const std::optional<MediaKind> kind = kind_of(path);
    if (kind && !embeds(model, *kind)) {
      ++list.skipped;
    } else {
      list.add_file(std::move(path));  // one that cannot be read is named, too: it might be a picture
    }
  }
}

// A pipe or device: whole, unless its first bytes already tell that the model has no use for it.
void add_pipe(InputList& list, const std::string& path, const Model& model) {
  try {
    File pipe(path);
    std::string content = pipe.read(kMediaSniffBytes);
    if (embeds(model, sniff_media(std::as_bytes(std::span(content))))) content += pipe.read_all();
    list.add_pipe(path, std::move(content));
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
    list.add_pipe(path, error);
  }
}

void add_path(InputList& list, const std::string& path, const Model& model, Console& console) {
  struct stat status {};
  const bool exists = ::stat(path.c_str(), &status) == 0;
  if (exists && !S_ISDIR(status.st_mode) && !S_ISREG(status.st_mode)) {
    add_pipe(list, path, model);
    return;
  }
  try {
    if (exists && S_ISDIR(status.st_mode)) {
      add_folder(list, path, model, console);
      return;
    }
  } catch (const Error& error) {
    if (error.code() == ErrorCode::cancelled) throw;
  }
  list.add_file(path);  // embedding it says what is wrong with it
}

std::vector<std::string> split(std::string_view text, char separator) {
  std::vector<std::string> parts;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(separator), text.size());
    parts.emplace_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return parts;
}

}  // namespace

void InputList::add_text(std::string text) {
  names.push_back(text);
  inputs.push_back(Input::text(std::move(text)));
}

void InputList::add_texts_of(const std::string& file) {
  const std::size_t begin = inputs.size();
  for (std::string& text : read_texts(file)) add_text(std::move(text));
  texts_files_.push_back({file, begin, inputs.size()});
}

void InputList::add_file(std::string path) {
  names.push_back(path);
  inputs.push_back(Input::file(std::move(path)));
}

void InputList::add_pipe(const std::string& path, std::string content) {
  names.push_back(path);
  inputs.push_back(Input::bytes(std::move(content)));
}

void InputList::add_pipe(const std::string& path, const Error& error) {
  unread_pipes_.emplace(inputs.size(), error);
  add_pipe(path, std::string());
}

Error InputList::error_of(std::size_t index, const Error& error) const {
  if (error.code() == ErrorCode::cancelled) return error;
  if (const auto unread = unread_pipes_.find(index); unread != unread_pipes_.end()) return unread->second;
  if (inputs[index].kind == Input::Kind::bytes)
    return {error.code(), "cannot embed '" + names[index] + "': " + error.what()};
  for (const TextsFile& file : texts_files_) {
    if (index >= file.begin && index < file.end) {
      return {error.code(), file.path + ":" + std::to_string(index - file.begin + 1) + ": " + error.what()};
    }
  }
  return error;
}

void warn_of_folder(const std::string& folder, const std::string& reason, Console& console) {
  console.warn("cannot read the folder '" + folder + "': " + reason);
}

void add_inputs(InputList& list, std::span<const std::string> words, const Model& model, Console& console) {
  for (const std::string& word : words) {
    if (word != "-") {
      add_path(list, word, model, console);
      continue;
    }
    const std::string paths = File("-").read_all();
    const char separator = paths.find('\0') == paths.npos ? '\n' : '\0';
    for (const std::string& path : split(paths, separator)) {
      if (!path.empty()) add_path(list, path, model, console);
    }
  }
}

std::vector<std::string> read_texts(const std::string& path) {
  constexpr std::string_view kByteOrderMark = "\xEF\xBB\xBF";
  std::string text = File(path).read_all();
  if (text.starts_with(kByteOrderMark)) text.erase(0, kByteOrderMark.size());
  std::vector<std::string> lines = split(text, '\n');
  for (std::string& line : lines) {
    if (line.ends_with('\r')) line.pop_back();
  }
  return lines;
}

bool is_picture_file(const std::string& path) {
  struct stat status {};
  if (::stat(path.c_str(), &status) != 0 || !S_ISREG(status.st_mode)) return false;
  return kind_of(path) == MediaKind::picture;
}

void note_skipped(const InputList& list, Console& console) {
  if (list.skipped == 0) return;
  console.note("skipped " + std::to_string(list.skipped) + (list.skipped == 1 ? " file" : " files") +
               " of kinds that the model does not embed");
}

}  // namespace moa::cli
