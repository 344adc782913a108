// Search results as one HTML file.
#include <cstdio>
#include <filesystem>

#include "base/utf8.hpp"
#include "cli/canvas.hpp"
#include "cli/interrupt.hpp"
#include "cli/json_text.hpp"
#include "cli/search_results.hpp"

namespace moa::cli {
namespace {

constexpr std::int64_t kThumbnailPx = 360;

constexpr std::string_view kHead = R"(<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; img-src data:; style-src 'unsafe-inline'">
<title>moa search</title>
<style>
:root { color-scheme: light dark; --ground: #fafaf8; --card: #fff; --ink: #1d1d1b; --soft: #76766f; --line: #e6e6e0; }
@media (prefers-color-scheme: dark) {
  :root { --ground: #181817; --card: #222220; --ink: #ecece6; --soft: #99998f; --line: #34342f; }
}
body { margin: 0 auto; max-width: 76rem; padding: 2rem 1.25rem 4rem; background: var(--ground); color: var(--ink);
       font: 16px/1.5 system-ui, "Noto Sans KR", "Apple SD Gothic Neo", "Malgun Gothic", sans-serif; }
h2 { font-size: 1.4rem; font-weight: 650; margin: 2.2rem 0 0.9rem; overflow-wrap: anywhere; }
p { margin: 0; color: var(--soft); overflow-wrap: anywhere; }
ol { list-style: none; margin: 0; padding: 0; display: grid; gap: 1rem;
     grid-template-columns: repeat(auto-fill, minmax(13.5rem, 1fr)); }
li { background: var(--card); border: 1px solid var(--line); border-radius: 0.6rem; overflow: hidden; }
a { color: inherit; text-decoration: none; display: block; }
a:hover .name { text-decoration: underline; }
.frame { display: flex; align-items: center; justify-content: center; aspect-ratio: 4 / 3; background: var(--line); }
.frame img { width: 100%; height: 100%; object-fit: contain; }
.frame span { color: var(--soft); font-size: 0.85rem; }
.about { padding: 0.6rem 0.8rem 0.75rem; }
.rank { font-weight: 650; }
.score { float: right; color: var(--soft); font-variant-numeric: tabular-nums; }
.name { display: block; color: var(--soft); font-size: 0.85rem; overflow-wrap: anywhere; }
</style>
</head>
<body>
)";

std::string escaped(std::string_view text) {
  std::string out;
  for (const char byte : displayable(text)) {
    switch (byte) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      default:
        out += byte;
    }
  }
  return out;
}

// file:///… with every byte but the plainest written as %XX.
std::string file_url(const std::string& path) {
  constexpr std::string_view kPlain = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~/";
  std::error_code failed;
  const std::filesystem::path absolute = std::filesystem::absolute(path, failed);
  std::string url = "file://";
  for (const char byte : failed ? path : absolute.string()) {
    if (kPlain.find(byte) != kPlain.npos) {
      url += byte;
    } else {
      char code[8];
      std::snprintf(code, sizeof code, "%%%02X", static_cast<unsigned char>(byte));
      url += code;
    }
  }
  return url;
}

std::string frame(const std::string& path) {
  Picture small;
  try {
    small = thumbnail(path, kThumbnailPx, kThumbnailPx);
  } catch (const Error& error) {
    return "<span>" + std::string(why_blank(error)) + "</span>";
  }
  return "<img alt=\"\" src=\"data:image/jpeg;base64," + base64(to_jpeg(small)) + "\">";
}

}  // namespace

std::string as_html(const std::vector<SearchResult>& results, Console& console) {
  std::size_t done = 0;
  std::size_t total = 0;
  for (const SearchResult& result : results) total += result.found.size();
  std::string page(kHead);
  for (const SearchResult& result : results) {
    page += "<h2>" + escaped(result.query) + "</h2>\n";
    if (result.found.empty()) {
      page += "<p>" + (result.error ? escaped(result.error->what()) : "nothing found") + "</p>\n";
      continue;
    }
    page += "<ol>\n";
    for (std::size_t i = 0; i < result.found.size(); ++i) {
      throw_if_interrupted();
      const Found& found = result.found[i];
      char score[32];
      std::snprintf(score, sizeof score, "%.3f", static_cast<double>(found.score));
      page += "<li><a href=\"" + file_url(found.path) + "\"><div class=\"frame\">" + frame(found.path) +
              "</div><div class=\"about\"><span class=\"rank\">" + std::to_string(i + 1) +
              "</span><span class=\"score\">" + score + "</span><span class=\"name\">" + escaped(found.path) +
              "</span></div></a></li>\n";
      console.progress("drawing", ++done, total);
    }
    page += "</ol>\n";
  }
  return page + "</body>\n</html>\n";
}

}  // namespace moa::cli
