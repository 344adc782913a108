#include "cli/console.hpp"

#include <unistd.h>

#include <cstdio>
#include <cstdlib>

namespace moa::cli {
namespace {

constexpr auto kRedrawEvery = std::chrono::milliseconds(100);

bool draws_progress(const Arguments& arguments) {
  const std::string when = arguments.value_or("progress", "auto");
  if (arguments.has("quiet") || when == "never") return false;
  if (when == "always") return true;
  const char* terminal = std::getenv("TERM");
  return ::isatty(STDERR_FILENO) == 1 && terminal != nullptr && std::string_view(terminal) != "dumb";
}

std::string duration(double seconds) {
  char text[32];
  if (seconds < 60) {
    std::snprintf(text, sizeof text, "%.0f s", seconds);
  } else if (seconds < 3600) {
    std::snprintf(text, sizeof text, "%.0f min", seconds / 60);
  } else {
    std::snprintf(text, sizeof text, "%.1f h", seconds / 3600);
  }
  return text;
}

}  // namespace

void print_error(std::string_view code, std::string_view message) {
  const Paint paint = Paint::for_stream(STDERR_FILENO);
  const std::string text = "moa: " + paint.red + "error" + paint.reset + ": " + std::string(code) + ": " +
                           displayable(message) + "\n";
  std::fwrite(text.data(), 1, text.size(), stderr);
}

Console::Console(const Arguments& arguments)
    : quiet_(arguments.has("quiet")),
      draws_(draws_progress(arguments)),
      paint_(Paint::for_stream(STDERR_FILENO)) {}

Console::~Console() {
  clear_progress();
}

void Console::line(std::string_view text) {
  clear_progress();
  const std::string whole = "moa: " + std::string(text) + "\n";
  std::fwrite(whole.data(), 1, whole.size(), stderr);
}

void Console::error(std::string_view code, std::string_view message) {
  clear_progress();
  print_error(code, message);
}

void Console::warn(std::string_view message) {
  if (!quiet_) line(paint_.yellow + "warning" + paint_.reset + ": " + displayable(message));
}

void Console::note(std::string_view message) {
  if (!quiet_) line(displayable(message));
}

void Console::progress(std::string_view what, std::size_t done, std::size_t total) {
  if (!draws_ || total == 0) return;
  const Clock::time_point now = Clock::now();
  if (what_ != what) {
    what_ = what;
    began_ = now;
    last_ = {};
  }
  if (done >= total) {
    clear_progress();
    return;
  }
  if (now - last_ < kRedrawEvery) return;
  last_ = now;

  constexpr std::size_t kBarColumns = 24;
  const std::size_t filled = kBarColumns * done / total;
  std::string bar;
  for (std::size_t i = 0; i < kBarColumns; ++i) bar += i < filled ? "━" : "─";
  const double seconds = std::chrono::duration<double>(now - began_).count();
  std::string line =
      "\r\x1b[K" + what_ + " " + bar + " " + std::to_string(done) + "/" + std::to_string(total);
  if (done > 0 && seconds > 0.5) {
    const double each = seconds / static_cast<double>(done);
    line += "  " + duration(each * static_cast<double>(total - done)) + " left";
  }
  std::fwrite(line.data(), 1, line.size(), stderr);
  std::fflush(stderr);
  drawn_ = true;
}

void Console::clear_progress() {
  if (!drawn_) return;
  std::fputs("\r\x1b[K", stderr);
  std::fflush(stderr);
  drawn_ = false;
}

}  // namespace moa::cli
