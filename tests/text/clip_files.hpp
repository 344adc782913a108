// CLIP's tokenizer files, put together from its merges: the vocabulary follows from them.
#pragma once

#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "base/file.hpp"
#include "text/byte_level.hpp"
#include "text/tokenizer.hpp"

namespace moa {

inline std::string read_golden(const std::string& name) {
  return read_file(std::filesystem::path(MOA_TEST_DATA) / "text" / "golden" / name, 64 << 20);
}

inline std::string json_string(std::string_view text) {
  std::string quoted = "\"";
  for (const char c : text) {
    if (c == '"' || c == '\\') quoted.push_back('\\');
    quoted.push_back(c);
  }
  return quoted + "\"";
}

// The lines of clip_merges.txt behind the first, each "left right".
inline std::vector<std::string> clip_merges() {
  const std::string text = read_golden("clip_merges.txt");
  std::vector<std::string> lines;
  for (std::size_t at = text.find('\n') + 1; at < text.size();) {
    const std::size_t end = text.find('\n', at);
    lines.push_back(text.substr(at, end - at));
    at = end + 1;
  }
  return lines;
}

// 256 symbols, in the order of their characters; the same that end a word; what the merges make; two
// specials.
inline std::string clip_vocab_json() {
  std::vector<std::string> tokens;
  for (int pass = 0; pass < 2; ++pass) {
    for (const bool own : {true, false}) {
      for (int byte = 0; byte < 256; ++byte) {
        const bool is_own = (byte >= 33 && byte <= 126) || (byte >= 161 && byte <= 172) || byte >= 174;
        if (is_own != own) continue;
        tokens.push_back(bytes_to_characters(std::string(1, static_cast<char>(byte))) +
                         (pass == 1 ? "</w>" : ""));
      }
    }
  }
  for (std::string merge : clip_merges()) tokens.push_back(merge.erase(merge.find(' '), 1));
  tokens.push_back("<|startoftext|>");
  tokens.push_back("<|endoftext|>");
  std::string json = "{";
  for (std::size_t id = 0; id < tokens.size(); ++id) {
    json += (id == 0 ? "" : ",") + json_string(tokens[id]) + ":" + std::to_string(id);
  }
  return json + "}";
}

inline TokenizerFiles clip_vocabulary_files() {
  TokenizerFiles files;
  files.vocab_json = clip_vocab_json();
  files.merges_txt = read_golden("clip_merges.txt");
  return files;
}

inline TokenizerFiles clip_tokenizer_json_files() {
  std::string merges;
  for (const std::string& merge : clip_merges()) merges += (merges.empty() ? "" : ",") + json_string(merge);
  TokenizerFiles files;
  files.tokenizer_json = read_golden("clip.json");
  const auto put = [&](const std::string& empty, const std::string& full) {
    files.tokenizer_json.replace(files.tokenizer_json.find(empty), empty.size(), full);
  };
  put("\"vocab\":{}", "\"vocab\":" + clip_vocab_json());
  put("\"merges\":[]", "\"merges\":[" + merges + "]");
  files.tokenizer_config_json =
      R"({"model_max_length": 77, "pad_token": "<|endoftext|>", "tokenizer_class": "CLIPTokenizer"})";
  return files;
}

}  // namespace moa
