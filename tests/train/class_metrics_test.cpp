#include "train/class_metrics.hpp"

#include <cmath>

#include <gtest/gtest.h>

namespace moa::train {
namespace {

const std::vector<std::size_t> kTop = {1, 5};

double value(const std::vector<Metric>& metrics, const std::string& name) {
  for (const Metric& metric : metrics) {
    if (metric.name == name) return metric.value;
  }
  return std::nan("");
}

TEST(RankOf, TiesAndWhatIsNoNumberCountAgainstTheRightOne) {
  EXPECT_EQ(rank_of(std::vector{0.1F, 0.9F, 0.5F}, 1), 1u);
  EXPECT_EQ(rank_of(std::vector{0.1F, 0.9F, 0.5F}, 0), 3u);
  EXPECT_EQ(rank_of(std::vector{0.5F, 0.5F, 0.5F}, 1), 3u);
  EXPECT_EQ(rank_of(std::vector{0.5F, std::nanf("")}, 0), 2u);
}

TEST(ClassMetrics, CountsPicturesAndAveragesOverClasses) {
  // Class 0: three pictures, two found. Class 1: one, not found. Class 2 has none.
  const std::vector<RankedPicture> pictures = {{0, 1}, {0, 1}, {0, 6}, {1, 3}};
  const std::vector<Metric> metrics = class_metrics(pictures, 6, kTop, "", {.resamples = 50});
  EXPECT_DOUBLE_EQ(value(metrics, "acc1"), 0.5);
  EXPECT_DOUBLE_EQ(value(metrics, "acc5"), 0.75);
  EXPECT_DOUBLE_EQ(value(metrics, "mean_per_class_recall"), (2.0 / 3 + 0) / 2);
}

TEST(ClassMetrics, ADepthBelowWhichThereAreNotSoManyClassesIsLeftOut) {
  const std::vector<Metric> metrics = class_metrics(std::vector<RankedPicture>{{0, 1}}, 4, kTop, "lp_", {});
  ASSERT_EQ(metrics.size(), 2u);
  EXPECT_EQ(metrics[0].name, "lp_acc1");
  EXPECT_EQ(metrics[1].name, "lp_mean_per_class_recall");
}

}  // namespace
}  // namespace moa::train
