#include "train/loss_curve.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <vector>

namespace moa::train {
namespace {

constexpr double kWidth = 720;
constexpr double kHeight = 360;
constexpr double kLeft = 64;
constexpr double kBottom = 40;
constexpr double kMargin = 16;
constexpr std::size_t kMostPoints = 2000;
constexpr int kMarks = 5;

struct Point {
  double step, loss;
};

std::string format(const char* pattern, double a, double b = 0) {
  char text[256];
  std::snprintf(text, sizeof text, pattern, a, b);
  return text;
}

// The means over `reach` points on either side.
std::vector<Point> smoothed(const std::vector<Point>& points, std::size_t reach) {
  std::vector<double> sums = {0};
  for (const Point& point : points) sums.push_back(sums.back() + point.loss);
  std::vector<Point> result;
  for (std::size_t i = 0; i < points.size(); ++i) {
    const std::size_t begin = i - std::min(i, reach);
    const std::size_t end = std::min(points.size(), i + reach + 1);
    result.push_back({points[i].step, (sums[end] - sums[begin]) / static_cast<double>(end - begin)});
  }
  return result;
}

// From steps and losses to the drawing.
class Frame {
 public:
  explicit Frame(const std::vector<Point>& points) {
    for (const Point& point : points) {
      least_ = std::min(least_, point.loss);
      most_ = std::max(most_, point.loss);
    }
    first_ = points.front().step;
    last_ = std::max(points.back().step, first_ + 1);
    if (most_ <= least_) most_ = least_ + 1;
  }
  double x(double step) const {
    return kLeft + (step - first_) / (last_ - first_) * (kWidth - kLeft - kMargin);
  }
  double y(double loss) const {
    return kMargin + (most_ - loss) / (most_ - least_) * (kHeight - kBottom - kMargin);
  }
  double step_at(double share) const { return first_ + share * (last_ - first_); }
  double loss_at(double share) const { return least_ + share * (most_ - least_); }

 private:
  double least_ = INFINITY, most_ = -INFINITY, first_ = 0, last_ = 1;
};

std::string line_through(const std::vector<Point>& points, const Frame& frame, const char* style) {
  std::string line = "<polyline fill=\"none\" " + std::string(style) + " points=\"";
  for (const Point& point : points) line += format("%.1f,%.1f ", frame.x(point.step), frame.y(point.loss));
  return line + "\"/>\n";
}

}  // namespace

std::string draw_loss_curve(std::span<const std::pair<std::int64_t, double>> losses) {
  const std::size_t stride = losses.size() / kMostPoints + 1;
  std::vector<Point> points;
  for (std::size_t i = 0; i < losses.size(); i += stride) {
    if (std::isfinite(losses[i].second))
      points.push_back({static_cast<double>(losses[i].first), losses[i].second});
  }
  std::string svg =
      format("<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %.0f %.0f\" ", kWidth, kHeight) +
      "font-family=\"sans-serif\" font-size=\"12\">\n<rect width=\"100%\" height=\"100%\" "
      "fill=\"white\"/>\n";
  if (!points.empty()) {
    const Frame frame(points);
    for (int i = 0; i <= kMarks; ++i) {
      const double share = static_cast<double>(i) / kMarks;
      const double y = frame.y(frame.loss_at(share));
      svg += format("<path stroke=\"#ddd\" d=\"M%.1f ", kLeft) +
             format("%.1fH%.1f\"/>", y, kWidth - kMargin) +
             format("<text text-anchor=\"end\" x=\"%.1f\" y=\"%.1f\">", kLeft - 8, y + 4) +
             format("%.3g</text>\n", frame.loss_at(share));
      svg += format("<text text-anchor=\"middle\" x=\"%.1f\" y=\"%.1f\">", frame.x(frame.step_at(share)),
                    kHeight - kBottom + 20) +
             format("%.0f</text>\n", frame.step_at(share));
    }
    svg += line_through(points, frame, "stroke=\"#9ecae1\"");
    svg +=
        line_through(smoothed(points, points.size() / 100), frame, "stroke=\"#08519c\" stroke-width=\"2\"");
  }
  return svg + "</svg>\n";
}

}  // namespace moa::train
