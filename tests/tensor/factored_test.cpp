#include "tensor/factored.hpp"

#include <numeric>

#include <gtest/gtest.h>

#include "base/expect_error.hpp"

namespace moa {
namespace {

Parameter counted(const std::string& name, const Shape& shape) {
  std::vector<float> values(static_cast<std::size_t>(shape.elements()));
  std::iota(values.begin(), values.end(), -3.0F);
  return Parameter::from_values(name, shape, values);
}

TEST(Factored, MultipliesThinMatrices) {
  const Parameter left = Parameter::from_values("w.left", {3, 2}, {1, 2, 0, 1, -1, 3});
  const Parameter right = Parameter::from_values("w.right", {2, 2}, {1, 2, 10, 20});
  const Parameter product = low_rank_matrix("w", left, right);
  EXPECT_EQ(product.shape(), (Shape{3, 2}));
  EXPECT_EQ(product.read(), (std::vector<float>{21, 42, 10, 20, 29, 58}));
  ASSERT_EQ(factors_of(product).size(), 2U);
  EXPECT_EQ(factors_of(product)[0].identity(), left.identity());
}

TEST(Factored, MultipliesATrainWithTheFirstModeTheSlowest) {
  const Parameter core1 = counted("w.core1", {1, 2, 3, 2});
  const Parameter core2 = counted("w.core2", {2, 2, 1, 3});
  const Parameter core3 = counted("w.core3", {3, 2, 2, 1});
  const Parameter product = tensor_train_matrix("w", core1, core2, core3);
  ASSERT_EQ(product.shape(), (Shape{8, 6}));
  const std::vector<float> values = product.read();
  const auto one = core1.read();
  const auto two = core2.read();
  const auto three = core3.read();
  for (std::size_t o1 = 0; o1 < 2; ++o1) {
    for (std::size_t o2 = 0; o2 < 2; ++o2) {
      for (std::size_t o3 = 0; o3 < 2; ++o3) {
        for (std::size_t i1 = 0; i1 < 3; ++i1) {
          for (std::size_t i3 = 0; i3 < 2; ++i3) {
            float expected = 0;
            for (std::size_t a = 0; a < 2; ++a) {
              for (std::size_t b = 0; b < 3; ++b) {
                expected +=
                    one[(o1 * 3 + i1) * 2 + a] * two[(a * 2 + o2) * 3 + b] * three[(b * 2 + o3) * 2 + i3];
              }
            }
            EXPECT_EQ(values[((o1 * 2 + o2) * 2 + o3) * 6 + i1 * 2 + i3], expected);
          }
        }
      }
    }
  }
}

TEST(Factored, AnyPartIsReadAsTheWholeHasIt) {
  const Parameter thin = low_rank_matrix("w", counted("w.left", {5, 2}), counted("w.right", {2, 4}));
  const Parameter train = tensor_train_matrix("w", counted("a", {1, 2, 2, 2}), counted("b", {2, 2, 2, 2}),
                                              counted("c", {2, 1, 1, 1}));
  for (const Parameter& product : {thin, train}) {
    const std::vector<float> whole = product.read();
    for (std::int64_t row = 0; row < product.shape()[0]; ++row) {
      std::vector<float> one(static_cast<std::size_t>(product.shape()[1]));
      product.read_rows(row, 1, one.data());
      EXPECT_TRUE(std::equal(one.begin(), one.end(), whole.begin() + row * product.shape()[1]));
    }
    // In other rows, of which some begin and end inside those of the product.
    const Parameter other = product.reshaped({product.shape().elements() / 2, 2});
    std::vector<float> part(2);
    for (std::int64_t row = 0; row < other.shape()[0]; ++row) {
      other.read_rows(row, 1, part.data());
      EXPECT_TRUE(std::equal(part.begin(), part.end(), whole.begin() + row * 2));
    }
    EXPECT_EQ(product.rows(1, 3).read(),
              std::vector<float>(whole.begin() + product.shape()[1], whole.begin() + 3 * product.shape()[1]));
  }
}

TEST(Factored, FactorsAreRenamedWithTheirProduct) {
  const Parameter product = low_rank_matrix("w", counted("w.left", {2, 1}), counted("w.right", {1, 2}));
  const Parameter renamed = renamed_with_factors(product, "folder/w");
  EXPECT_EQ(renamed.name(), "folder/w");
  EXPECT_EQ(factors_of(renamed)[1].name(), "folder/w.right");
  EXPECT_EQ(renamed.read(), product.read());
}

TEST(Factored, RefusesFactorsThatDoNotFit) {
  const auto f = [](const Shape& shape) { return counted("f", shape); };
  MOA_EXPECT_ERROR(low_rank_matrix("w", f({2, 3}), f({2, 2})), corrupt_data);
  MOA_EXPECT_ERROR(low_rank_matrix("w", f({2, 3}), f({3})), corrupt_data);
  MOA_EXPECT_ERROR(low_rank_matrix("w", f({2, 0}), f({0, 2})), corrupt_data);
  const Parameter core = f({2, 2, 2, 2});
  MOA_EXPECT_ERROR(tensor_train_matrix("w", core, core, f({2, 2, 2, 1})), corrupt_data);
  MOA_EXPECT_ERROR(tensor_train_matrix("w", f({1, 2, 2, 2}), core, f({3, 2, 2, 1})), corrupt_data);
  MOA_EXPECT_ERROR(tensor_train_matrix("w", f({1, 2, 2, 2}), core, f({2, 2})), corrupt_data);
}

TEST(Factored, RefusesFewNumbersThatStandForTooMany) {
  const Parameter column = counted("w.left", {1 << 16, 1});
  const Parameter row = counted("w.right", {1, 1 << 16});
  MOA_EXPECT_ERROR(low_rank_matrix("w", column, row), limit_exceeded);
  const Parameter core = counted("c", {1, 1 << 8, 1 << 8, 1});
  MOA_EXPECT_ERROR(tensor_train_matrix("w", core, core, core), limit_exceeded);
}

}  // namespace
}  // namespace moa
