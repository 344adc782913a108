#include "tensor/parameter.hpp"

#include <gtest/gtest.h>

#include <numeric>

#include "base/expect_error.hpp"

namespace moa {
namespace {

struct Unread : ParameterSource {
  void read(std::int64_t, std::int64_t, float*) const override { FAIL(); }
};

Parameter counting(const std::string& name, Shape shape, float first = 0) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  std::iota(values.begin(), values.end(), first);
  return Parameter::from_values(name, std::move(shape), std::move(values));
}

std::vector<float> rows_of(const Parameter& parameter, std::int64_t first, std::int64_t count) {
  std::vector<float> values(static_cast<std::size_t>(count * parameter.shape().elements_per_row()));
  parameter.read_rows(first, count, values.data());
  return values;
}

TEST(Parameter, HoldsNothingByDefault) {
  EXPECT_FALSE(Parameter());
  EXPECT_TRUE(counting("a", {2}));
}

TEST(Parameter, ReadsAnyRows) {
  const Parameter parameter = counting("a", {3, 2});
  EXPECT_EQ(parameter.read(), (std::vector<float>{0, 1, 2, 3, 4, 5}));
  EXPECT_EQ(rows_of(parameter, 1, 2), (std::vector<float>{2, 3, 4, 5}));
  EXPECT_EQ(parameter.rows_in_place(2, 1)[1], 5);
  EXPECT_TRUE(rows_of(parameter, 3, 0).empty());
  EXPECT_EQ(counting("scalar", {}, 9).read(), std::vector<float>{9});
}

TEST(Parameter, RefusesRowsThatItHasNot) {
  const Parameter parameter = counting("a", {3, 2});
  float out[8];
  MOA_EXPECT_ERROR(parameter.read_rows(2, 2, out), out_of_range);
  MOA_EXPECT_ERROR(parameter.read_rows(-1, 1, out), out_of_range);
  MOA_EXPECT_ERROR(parameter.read_rows(0, -1, out), out_of_range);
  MOA_EXPECT_ERROR(parameter.rows_in_place(4, 0), out_of_range);
  MOA_EXPECT_ERROR(parameter.rows(2, 4), out_of_range);
  MOA_EXPECT_ERROR(parameter.rows(2, 1), out_of_range);
}

TEST(Parameter, RefusesValuesThatDoNotFillTheShape) {
  MOA_EXPECT_ERROR(Parameter::from_values("a", {2, 2}, {1, 2, 3}), shape_mismatch);
}

TEST(Parameter, ShowsPartsOfItselfAsViews) {
  const Parameter part = counting("a", {4, 2}).rows(1, 3);
  EXPECT_EQ(part.name(), "a[1:3]");
  EXPECT_EQ(part.shape(), (Shape{2, 2}));
  EXPECT_EQ(part.read(), (std::vector<float>{2, 3, 4, 5}));
  EXPECT_EQ(part.rows(1, 2).rows_in_place(0, 1)[0], 4);
}

TEST(Parameter, ChangesItsShapeWithoutMovingElements) {
  const Parameter parameter = counting("a", {2, 3}).reshaped({3, 2});
  EXPECT_EQ(rows_of(parameter, 2, 1), (std::vector<float>{4, 5}));
  MOA_EXPECT_ERROR(parameter.reshaped({5}), shape_mismatch);
}

TEST(Parameter, Transposes) {
  const Parameter turned = counting("a", {2, 3}).transposed();
  EXPECT_EQ(turned.shape(), (Shape{3, 2}));
  EXPECT_EQ(turned.read(), (std::vector<float>{0, 3, 1, 4, 2, 5}));
  MOA_EXPECT_ERROR(counting("a", {2}).transposed(), shape_mismatch);
}

TEST(Parameter, StacksOthersAndGivesThemBack) {
  const Parameter q = counting("q", {2, 2});
  const Parameter k = counting("k", {1, 2}, 10);
  const Parameter v = counting("v", {3, 2}, 20);
  const Parameter stacked = Parameter::stacked({q, k, v});
  EXPECT_EQ(stacked.shape(), (Shape{6, 2}));
  EXPECT_EQ(stacked.name(), "q+k+v");
  EXPECT_EQ(rows_of(stacked, 1, 3), (std::vector<float>{2, 3, 10, 11, 20, 21}));
  EXPECT_EQ(stacked.rows(5, 6).read(), (std::vector<float>{24, 25}));
  ASSERT_EQ(stacked.parts().size(), 3u);
  EXPECT_EQ(stacked.parts()[1].identity(), k.identity());
  EXPECT_EQ(q.parts().at(0).identity(), q.identity());
  MOA_EXPECT_ERROR(Parameter::stacked({q, counting("other", {2, 3})}), shape_mismatch);
  MOA_EXPECT_ERROR(Parameter::stacked({q, counting("other", {2})}), shape_mismatch);
}

TEST(Parameter, HasOneIdentityInAllItsCopies) {
  const Parameter parameter = counting("a", {2});
  const Parameter copy = parameter;
  EXPECT_EQ(copy.identity(), parameter.identity());
  EXPECT_NE(counting("a", {2}).identity(), parameter.identity());
}

TEST(DType, HasANameForEach) {
  EXPECT_EQ(name(DType::bf16), "bf16");
  EXPECT_EQ(name(DType::q4), "q4");
}

TEST(Parameter, AViewTellsWhatItIsOf) {
  const Parameter whole = counting("a", {4, 2});
  EXPECT_EQ(whole.view(), nullptr);
  const Parameter part = whole.rows(1, 3);
  ASSERT_NE(part.view(), nullptr);
  EXPECT_EQ(part.view()->kind, ParameterView::Kind::rows);
  EXPECT_EQ(part.view()->begin, 1);
  EXPECT_EQ(part.view()->of.identity(), whole.identity());
  EXPECT_EQ(part.transposed().view()->kind, ParameterView::Kind::transposed);
  EXPECT_EQ(part.reshaped({4}).view()->of.identity(), part.identity());
  EXPECT_EQ(whole.renamed("b").view(), nullptr);
}

TEST(Parameter, KnowsTheCheckpointsTensorsThatItIsMadeOf) {
  const auto of = [](const char* name) { return Parameter::from_values(name, {2, 2}, {1, 2, 3, 4}); };
  const Parameter q = of("q");
  const Parameter k = of("k");
  const BatchNorm norm{of("weight"), of("bias"), of("mean"), of("variance")};
  const auto names = [](const Parameter& parameter) {
    std::vector<std::string> all;
    for (const Parameter& origin : origins_of(parameter)) all.push_back(origin.name());
    return all;
  };
  using Names = std::vector<std::string>;
  EXPECT_EQ(names(q), (Names{"q"}));
  EXPECT_EQ(names(Parameter::stacked({q, k}).rows(1, 3)), (Names{"q", "k"}));
  EXPECT_EQ(names(Parameter::stacked({q.transposed(), k.reshaped({4, 1}).reshaped({2, 2})})),
            (Names{"q", "k"}));
  const auto source = std::make_shared<Unread>();
  using Kind = ParameterView::Kind;
  EXPECT_EQ(names(Parameter::computed("q", {2, 2}, source, {q, Kind::normed_weight, 0, norm})),
            (Names{"q", "weight", "bias"}));
  EXPECT_EQ(names(Parameter::computed("bias", {2}, source, {{}, Kind::normed_bias, 0, norm})),
            (Names{"weight", "bias"}));
  EXPECT_TRUE(names({}).empty());
}

}  // namespace
}  // namespace moa
