// The one file that includes Eigen: it is what takes long to compile.
#include "compress/decompose.hpp"

#include <Eigen/Dense>
#include <algorithm>
#include <cmath>

#include "checkpoint/adapter.hpp"

namespace moa {
namespace {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
using Vector = Eigen::VectorXd;
using Eigen::Index;

Matrix as_f64(const MatrixView& matrix) {
  Matrix wide(matrix.rows, matrix.columns);
  std::copy(matrix.values.begin(), matrix.values.end(), wide.data());
  return wide;
}

// Of a symmetric matrix that has no negative eigenvalue: those, falling, and their vectors, in columns.
struct Spectrum {
  explicit Spectrum(const Matrix& gram) {
    const Eigen::SelfAdjointEigenSolver<Eigen::MatrixXd> solver(gram);
    values = solver.eigenvalues().reverse().cwiseMax(0.0);
    vectors = solver.eigenvectors().rowwise().reverse();
  }
  // tails[r]: the sum of the eigenvalues but the first r, the squared error of keeping so many.
  std::vector<double> tails() const {
    std::vector<double> sums(static_cast<std::size_t>(values.size()) + 1, 0.0);
    for (Index i = values.size(); i-- > 0;) {
      sums[static_cast<std::size_t>(i)] = sums[static_cast<std::size_t>(i) + 1] + values[i];
    }
    return sums;
  }

  Vector values;
  Matrix vectors;
};

// Of the smaller Gram matrix: the squares of the singular values.
Spectrum spectrum_of(const Matrix& matrix) {
  const bool is_tall = matrix.rows() >= matrix.cols();
  return Spectrum(is_tall ? Matrix(matrix.transpose() * matrix) : Matrix(matrix * matrix.transpose()));
}

// The smallest rank, at least 1, whose tail is at most `allowed`.
Index rank_within(const std::vector<double>& tails, double allowed) {
  Index rank = 1;
  while (tails[static_cast<std::size_t>(rank)] > std::max(allowed, 0.0)) ++rank;
  return rank;
}

Factor factor_of(const Matrix& matrix, std::vector<std::int64_t> extents, const DecomposeOptions& options) {
  Factor factor{std::move(extents), std::vector<float>(static_cast<std::size_t>(matrix.size()))};
  std::transform(matrix.data(), matrix.data() + matrix.size(), factor.values.begin(), [&](double value) {
    const auto narrow = static_cast<float>(value);
    return options.round ? options.round(narrow) : narrow;
  });
  return factor;
}

Matrix matrix_of(const Factor& factor, Index rows) {
  return as_f64({factor.values, rows, static_cast<std::int64_t>(factor.values.size()) / rows});
}

Decomposition finished(std::vector<Factor> factors, std::vector<std::int64_t> ranks) {
  Decomposition result{std::move(factors), std::move(ranks), 0, 0};
  for (const Factor& factor : result.factors) {
    result.numbers += static_cast<std::int64_t>(factor.values.size());
  }
  return result;
}

// Rounding adds to the error: so many more ranks until it is within what is allowed.
Index more(Index rank) {
  return std::max<Index>(1, rank / 64);
}

// matrix = left right, where the rows of `right` (of a wide matrix, the columns of `left`) are the first
// eigenvectors, each times the root of its singular value.
Decomposition cut(const Matrix& matrix, const Spectrum& spectrum, Index rank,
                  const DecomposeOptions& options) {
  const bool is_tall = matrix.rows() >= matrix.cols();
  const Vector roots = spectrum.values.head(rank).cwiseSqrt().cwiseSqrt();  // of the singular values
  const Matrix vectors = spectrum.vectors.leftCols(rank);
  const Matrix inside = vectors * roots.asDiagonal();
  // A singular value that is 0 has nothing on either side.
  const Vector inverse = roots.unaryExpr([](double root) { return root > 0 ? 1 / root : 0.0; });
  const Matrix outside = is_tall ? Matrix(matrix * vectors * inverse.asDiagonal())
                                 : Matrix(inverse.asDiagonal() * Matrix(vectors.transpose()) * matrix);
  const Matrix left = is_tall ? outside : inside;
  const Matrix right = is_tall ? Matrix(inside.transpose()) : outside;
  std::vector<Factor> factors{factor_of(left, {matrix.rows(), rank}, options),
                              factor_of(right, {rank, matrix.cols()}, options)};
  const double difference =
      (matrix - matrix_of(factors[0], matrix.rows()) * matrix_of(factors[1], rank)).norm();
  Decomposition result = finished(std::move(factors), {rank});
  result.error = difference / matrix.norm();
  return result;
}

// The matrix [o1 o2 o3, i1 i2 i3] as [o1 i1, o2 i2 o3 i3].
class Modes {
 public:
  Modes(std::int64_t rows, std::int64_t columns)
      : out_(tensor_train_modes(rows)), in_(tensor_train_modes(columns)) {}

  std::int64_t mode(std::size_t k) const { return out_[k] * in_[k]; }
  std::vector<std::int64_t> core(std::size_t k, std::int64_t before, std::int64_t behind) const {
    return {before, out_[k], in_[k], behind};
  }
  Matrix entangled(const Matrix& matrix) const {
    Matrix result(mode(0), mode(1) * mode(2));
    Index at = 0;
    for (Index o1 = 0; o1 < out_[0]; ++o1) {
      for (Index i1 = 0; i1 < in_[0]; ++i1) {
        for (Index o2 = 0; o2 < out_[1]; ++o2) {
          for (Index i2 = 0; i2 < in_[1]; ++i2) {
            for (Index o3 = 0; o3 < out_[2]; ++o3) {
              for (Index i3 = 0; i3 < in_[2]; ++i3) {
                result.data()[at++] =
                    matrix((o1 * out_[1] + o2) * out_[2] + o3, (i1 * in_[1] + i2) * in_[2] + i3);
              }
            }
          }
        }
      }
    }
    return result;
  }

 private:
  std::array<std::int64_t, 3> out_, in_;
};

// The same numbers in so many rows.
Matrix seen_as(const Matrix& matrix, Index rows) {
  return Eigen::Map<const Matrix>(matrix.data(), rows, matrix.size() / rows);
}

}  // namespace

std::vector<double> singular_values(const MatrixView& matrix) {
  const Spectrum spectrum = spectrum_of(as_f64(matrix));
  std::vector<double> values;
  for (const double value : spectrum.values) values.push_back(std::sqrt(value));
  return values;
}

std::optional<Decomposition> low_rank(const MatrixView& view, const DecomposeOptions& options) {
  const Matrix matrix = as_f64(view);
  const double square = matrix.squaredNorm();
  if (!(square > 0)) return std::nullopt;
  const Spectrum spectrum = spectrum_of(matrix);
  const Index full = std::min(view.rows, view.columns);
  Index rank = rank_within(spectrum.tails(), options.error * options.error * square);
  for (; rank <= full && rank * (view.rows + view.columns) < options.most_numbers; rank += more(rank)) {
    Decomposition result = cut(matrix, spectrum, rank, options);
    if (result.error <= options.error) return result;
  }
  return std::nullopt;
}

std::optional<Decomposition> tensor_train(const MatrixView& view, const DecomposeOptions& options) {
  const Modes modes(view.rows, view.columns);
  const Matrix tensor = modes.entangled(as_f64(view));
  const double square = tensor.squaredNorm();
  if (!(square > 0)) return std::nullopt;
  const double allowed = options.error * options.error * square;
  const Spectrum first(Matrix(tensor * tensor.transpose()));
  const std::vector<double> first_tails = first.tails();

  const auto numbers = [&](Index a, Index b) {
    return modes.mode(0) * a + a * modes.mode(1) * b + b * modes.mode(2);
  };
  const auto left_by = [&](Index a) { return allowed - first_tails[static_cast<std::size_t>(a)]; };
  // The last unfolding of the whole tensor says how many ranks the second cut needs at most.
  const Matrix unfolding = seen_as(tensor, modes.mode(0) * modes.mode(1));
  const std::vector<double> last_tails = Spectrum(Matrix(unfolding.transpose() * unfolding)).tails();
  Index a = rank_within(first_tails, allowed);
  for (Index other = a + 1; other <= modes.mode(0); ++other) {
    if (numbers(other, rank_within(last_tails, left_by(other))) <
        numbers(a, rank_within(last_tails, left_by(a)))) {
      a = other;
    }
  }
  const Matrix core1 = first.vectors.leftCols(a);
  const Matrix rest = seen_as(core1.transpose() * tensor, a * modes.mode(1));
  const Spectrum second(Matrix(rest.transpose() * rest));
  Index b = rank_within(second.tails(), left_by(a));
  for (; b <= modes.mode(2) && numbers(a, b) < options.most_numbers; b += more(b)) {
    const Matrix vectors = second.vectors.leftCols(b);
    std::vector<Factor> factors{factor_of(core1, modes.core(0, 1, a), options),
                                factor_of(rest * vectors, modes.core(1, a, b), options),
                                factor_of(vectors.transpose(), modes.core(2, b, 1), options)};
    const Matrix two = seen_as(matrix_of(factors[0], modes.mode(0)) * matrix_of(factors[1], a),
                               modes.mode(0) * modes.mode(1));
    const double difference = (unfolding - two * matrix_of(factors[2], b)).norm();
    Decomposition result = finished(std::move(factors), {a, b});
    result.error = difference / std::sqrt(square);
    if (result.error <= options.error) return result;
  }
  return std::nullopt;
}

}  // namespace moa
