// compress: a trained model's matrices as products of smaller ones. It knows models as lists of linear
// layers, not architectures. This header: the decompositions of one matrix.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace moa {

// [rows, columns], row-major.
struct MatrixView {
  std::span<const float> values;
  std::int64_t rows = 0;
  std::int64_t columns = 0;
};

struct Factor {
  std::vector<std::int64_t> extents;
  std::vector<float> values;  // row-major
};

struct Decomposition {
  // [rows, rank] and [rank, columns]; or the cores [1, rows1, columns1, a], [a, rows2, columns2, b] and
  // [b, rows3, columns3, 1] (tensor/factored.hpp).
  std::vector<Factor> factors;
  std::vector<std::int64_t> ranks;  // the rank, or a and b
  // Of the difference to the matrix, divided by the matrix's (Frobenius norms), with factors as they are
  // here: rounded.
  double error = 0;
  std::int64_t numbers = 0;  // in all factors
};

struct DecomposeOptions {
  double error = 0.3;             // Decomposition::error is at most this
  std::int64_t most_numbers = 0;  // Decomposition::numbers is below this
  // Numbers as a file will hold them; nullptr: f32.
  float (*round)(float) = nullptr;
};

// The product of two thin matrices nearest to `matrix` of the smallest rank that is near enough (the singular
// value decomposition, cut off: Eckart and Young 1936); the singular values are split evenly between them.
// Empty if no such rank has few enough numbers. Singular values come of the smaller Gram matrix in f64, so
// that those below 1e-8 of the largest are noise. Deterministic; one thread.
std::optional<Decomposition> low_rank(const MatrixView& matrix, const DecomposeOptions& options);

// A train of three cores by TT-SVD (Oseledets 2011, algorithm 1), of the matrix seen as a tensor
// [rows1 columns1, rows2 columns2, rows3 columns3] whose modes are tensor_train_modes(). The error is shared
// out between the two cuts such that there are the fewest numbers. Otherwise as low_rank.
std::optional<Decomposition> tensor_train(const MatrixView& matrix, const DecomposeOptions& options);

// All singular values of `matrix`, falling.
std::vector<double> singular_values(const MatrixView& matrix);

}  // namespace moa
