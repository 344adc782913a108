// Parameters in the form that kernels read. Each is prepared once, when first asked for (a matrix when it
// is used again: matrix_used_before), and its original's pages are dropped.
#pragma once

#include <compare>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <utility>
#include <vector>

#include "backends/cpu/kernels/kernels.hpp"
#include "backends/cpu/weight_memory.hpp"
#include "base/thread_pool.hpp"
#include "tensor/parameter.hpp"
#include "tensor/precision.hpp"

namespace moa::cpu {

// A weight matrix [columns of the product, depth] as Products of its precision read it.
struct PreparedMatrix {
  Precision precision = Precision::f32;
  std::int64_t depth_words = 0;
  const float* panels = nullptr;
  const float* scales = nullptr;              // int8: one a column
  const std::int32_t* corrections = nullptr;  // int8: one a column, if the level needs them
  std::int64_t first_column = 0;              // of the whole matrix, where all of these begin
};

// Safe from any thread. Pointers stay valid as long as this object.
class PreparedWeights {
 public:
  PreparedWeights(const Kernels& kernels, ThreadPool& threads) : kernels_(kernels), threads_(threads) {}

  // [out, in] as panels. Errors: corrupt_data for a weight that is not a number or not finite.
  // An int8 product deeper than its sums can hold is prepared in f32.
  const PreparedMatrix& matrix(const Parameter& weight, Precision precision);
  // The same, but nullptr where `weight` is asked for in this precision for the first time. Many a matrix is
  // used once, for one query; then the memory for all its panels costs more than packing them, which
  // pack_columns does where they are multiplied. Never nullptr for one that is prepared in another precision.
  const PreparedMatrix* matrix_used_before(const Parameter& weight, Precision precision);
  // Columns [first, first + columns) of the product with `weight`, packed into `memory`, which has room for
  // columns_size() floats; `first` begins a panel. Error: corrupt_data.
  std::int64_t columns_size(const Parameter& weight, std::int64_t columns, Precision precision) const;
  PreparedMatrix pack_columns(const Parameter& weight, std::int64_t first, std::int64_t columns,
                              Precision precision, float* memory) const;
  // [out, in, height, width] as panels of depth height * width * in, in that order: channels innermost, as
  // pictures lie in memory. Otherwise as `matrix`.
  const PreparedMatrix& convolution(const Parameter& weight, Precision precision);
  // [channels, 1, height, width] as [height * width][channels].
  const float* depthwise(const Parameter& weight);
  // All elements as f32; nullptr for an absent parameter.
  const float* vector(const Parameter& values);

  std::int64_t bytes() const { return memory_.bytes(); }

 private:
  enum class Form { matrix, convolution, depthwise, vector };
  struct Key {
    const void* identity;
    Form form;
    Precision precision;
    auto operator<=>(const Key&) const = default;
  };
  struct Entry {
    Parameter original;  // keeps identity() from being used again
    std::once_flag once;
    PreparedMatrix weights;  // of vectors and depthwise convolutions, `panels` alone
  };
  // Row `first` and the next ones of the matrix being packed, `depth` long each.
  using RowReader =
      std::function<ConstMatrix(std::int64_t first, std::int64_t count, std::vector<float>& space)>;

  // What belongs to a parameter in one form, and whether nobody asked for it before.
  std::pair<std::shared_ptr<Entry>, bool> entry_of(const Parameter& original, Form form, Precision precision);
  const PreparedMatrix& prepared(const Parameter& original, Form form, Precision precision,
                                 const std::function<PreparedMatrix()>& prepare);
  static const PreparedMatrix& prepared(Entry& entry, const std::function<PreparedMatrix()>& prepare);
  PreparedMatrix pack_matrix(const Parameter& weight, Precision precision);
  // Whether a row's numbers lie along the depth as the parameter has them.
  enum class Order { as_stored, turned };
  struct Depth {
    std::int64_t numbers, words;
    Order order;
  };
  // Where the panels of a matrix go, with what int8 needs beside them (null otherwise).
  struct Panels {
    float* words;
    float* scales;
    std::int32_t* corrections;
  };
  // As they lie in memory of columns_size(), and from the one of `column` on.
  Panels laid_out(float* memory, std::int64_t columns, std::int64_t words, Precision precision) const;
  static Panels panel_of(const Panels& panels, std::int64_t column, std::int64_t words);
  // One panel, of rows [first, first + count) of the matrix.
  void pack_panel(const Parameter& weight, const Depth& depth, Precision precision, std::int64_t first,
                  std::int64_t count, const RowReader& read, const Panels& to) const;
  PreparedMatrix pack(const Parameter& weight, std::int64_t depth, Precision precision, Order order,
                      const RowReader& read);
  // Rows [first, first + count) in reduced precision, depth.words words each: as they are stored, where they
  // are stored so, and otherwise out of what `read` gives.
  void narrow_to_bf16(const Parameter& weight, const Depth& depth, std::int64_t first, std::int64_t count,
                      const RowReader& read, std::uint16_t* out) const;
  void narrow_to_int8(const Parameter& weight, const Depth& depth, std::int64_t first, std::int64_t count,
                      const RowReader& read, float* out, float* scales) const;

  const Kernels& kernels_;
  ThreadPool& threads_;
  WeightMemory memory_;
  std::mutex mutex_;
  std::map<Key, std::shared_ptr<Entry>> entries_;
};

}  // namespace moa::cpu
