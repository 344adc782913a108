// Search results as a contact sheet.
#include <algorithm>
#include <cstdio>
#include <filesystem>

#include "cli/canvas.hpp"
#include "cli/interrupt.hpp"
#include "cli/search_results.hpp"

namespace moa::cli {
namespace {

constexpr std::int64_t kCellPx = 240;  // the box of a thumbnail
constexpr std::int64_t kGapPx = 20;
constexpr std::int64_t kMarginPx = 32;
constexpr std::int64_t kHeadingPx = 56;                       // the query's line
constexpr std::int64_t kCaptionPx = 52;                       // rank, score and name below a thumbnail
constexpr std::int64_t kNothingPx = 24;                       // the line in place of thumbnails
constexpr std::int64_t kLeastInnerPx = 2 * kCellPx + kGapPx;  // room for that line
constexpr std::size_t kMaxColumns = 6;

constexpr Color kGround{250, 250, 248};
constexpr Color kFrame{232, 232, 227};
constexpr Color kInk{29, 29, 27};
constexpr Color kSoft{118, 118, 111};

void draw_cell(Canvas& canvas, std::int64_t left, std::int64_t top, std::size_t rank, const Found& found) {
  canvas.fill(left, top, kCellPx, kCellPx, kFrame);
  try {
    const Picture small = thumbnail(found.path, kCellPx, kCellPx);
    canvas.place(small, left + (kCellPx - small.width_px) / 2, top + (kCellPx - small.height_px) / 2);
  } catch (const Error& error) {
    const TextMask text = draw_text(std::string(why_blank(error)), "sans 14", kCellPx - kGapPx);
    canvas.write(text, left + (kCellPx - text.width_px) / 2, top + kCellPx / 2, kSoft);
  }
  char score[32];
  std::snprintf(score, sizeof score, "%.3f", static_cast<double>(found.score));
  const TextMask score_text = draw_text(score, "sans 15", kCellPx);
  canvas.write(draw_text(std::to_string(rank), "sans bold 16", kCellPx), left, top + kCellPx + 23, kInk);
  canvas.write(score_text, left + kCellPx - score_text.width_px, top + kCellPx + 23, kSoft);
  canvas.write(draw_text(std::filesystem::path(found.path).filename().string(), "sans 14", kCellPx), left,
               top + kCellPx + 46, kInk);
}

}  // namespace

std::string as_sheet(const std::vector<SearchResult>& results, Console& console) {
  std::size_t columns = 1;
  std::size_t total = 0;
  for (const SearchResult& result : results) {
    columns = std::max(columns, std::min(result.found.size(), kMaxColumns));
    total += result.found.size();
  }
  // Below the heading.
  const auto height_of = [&](const SearchResult& result) {
    const auto rows = static_cast<std::int64_t>((result.found.size() + columns - 1) / columns);
    return rows == 0 ? kNothingPx : rows * (kCellPx + kCaptionPx + kGapPx) - kGapPx;
  };
  std::int64_t height_px = 2 * kMarginPx - kGapPx;
  for (const SearchResult& result : results) height_px += kHeadingPx + height_of(result) + kGapPx;
  const std::int64_t inner_px =
      std::max(static_cast<std::int64_t>(columns) * (kCellPx + kGapPx) - kGapPx, kLeastInnerPx);

  Canvas canvas(inner_px + 2 * kMarginPx, height_px, kGround);
  std::int64_t top = kMarginPx;
  std::size_t done = 0;
  for (const SearchResult& result : results) {
    canvas.write(draw_text(result.query, "sans bold 24", inner_px), kMarginPx, top + 27, kInk);
    top += kHeadingPx;
    if (result.found.empty()) {
      const std::string why = result.error ? result.error->what() : "nothing found";
      canvas.write(draw_text(why, "sans 16", inner_px), kMarginPx, top + 12, kSoft);
    }
    for (std::size_t i = 0; i < result.found.size(); ++i) {
      throw_if_interrupted();
      const auto column = static_cast<std::int64_t>(i % columns);
      const auto row = static_cast<std::int64_t>(i / columns);
      draw_cell(canvas, kMarginPx + column * (kCellPx + kGapPx), top + row * (kCellPx + kCaptionPx + kGapPx),
                i + 1, result.found[i]);
      console.progress("drawing", ++done, total);
    }
    top += height_of(result) + kGapPx;
  }
  return to_png(canvas.picture());
}

}  // namespace moa::cli
