// Inputs as people name them: files, folders, pipes, lists on stdin, texts and files of texts.
#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include <moa/model.hpp>

#include "cli/console.hpp"

namespace moa::cli {

// What is to be embedded, in order.
struct InputList {
  std::vector<Input> inputs;
  std::vector<std::string>
      names;                // what each is called in results: the text itself, the path as it was given
  std::size_t skipped = 0;  // files in folders that the model has no use for

  void add_text(std::string text);
  // The lines of a file of texts. Errors: those of read_texts().
  void add_texts_of(const std::string& file);
  void add_file(std::string path);
  // What came out of the pipe `path`, or why nothing did.
  void add_pipe(const std::string& path, std::string content);
  void add_pipe(const std::string& path, const Error& error);

  // `error`, which embedding gave for input `index`, with what only this list knows: a pipe's name and why it
  // could not be read, a text's file and line.
  Error error_of(std::size_t index, const Error& error) const;

 private:
  struct TextsFile {
    std::string path;
    std::size_t begin, end;  // of its texts among the inputs
  };
  std::vector<TextsFile> texts_files_;
  std::map<std::size_t, Error> unread_pipes_;
};

// Adds what `words` name: a file or pipe as one item, of a folder every file of a kind that `model` embeds,
// for "-" every path of the list on stdin (one a line, or each ended by NUL). A path that leads nowhere
// stays: it is that item's error. Folders below that cannot be read are warned of. Errors: cancelled;
// invalid_argument if stdin was read before.
void add_inputs(InputList& list, std::span<const std::string> words, const Model& model, Console& console);

// Says that what lies below `folder` is not known.
void warn_of_folder(const std::string& folder, const std::string& reason, Console& console);

// The lines of a file of texts ("-": stdin), without their LF or CR LF; empty ones, too. Errors: not_found,
// io_error, limit_exceeded; invalid_argument if stdin was read before.
std::vector<std::string> read_texts(const std::string& path);

// Whether `path` is a regular file that begins like a picture.
bool is_picture_file(const std::string& path);

// Tells how many files were passed over, if any.
void note_skipped(const InputList& list, Console& console);

}  // namespace moa::cli
