// Adapters: few numbers that were learned in place of a model's matrices, and are added to them. What one
// adds to a matrix W [out, in] is alpha / rank times
//   lora       B A; A [rank, in], B [out, rank]. Hu et al. 2021 (arXiv 2106.09685). Files are peft's.
//   tt_lora    B A, where A and B are trains of three cores: B = P1 P2 P3 with Pk [bond, out_k, bond], and
//              A likewise of Qk [bond, in_k, bond].
//   tt_matrix  a train of three cores [bond, out_k, in_k, bond], multiplied out.
//   shared     U S V; U [d, rank] and V [rank, d] are shared by all matrices of a tower whose smaller side is
//              d, S [slots, rank, rank] is the matrix's own, one for each d x d of it. FacT-TT: Jie and Deng
//              2022 (arXiv 2212.03145).
// Tensor trains: Oseledets 2011.
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tensor/parameter.hpp"
#include "tensor/weights.hpp"

namespace moa {

enum class AdapterKind { lora, tt_lora, tt_matrix, shared };

// The sizes of the three modes that an axis of `width` is cut into: twice the same and what is left, so that
// the largest is as small as can be. 768 = 8 · 8 · 12, 3072 = 16 · 16 · 12.
std::array<std::int64_t, 3> tensor_train_modes(std::int64_t width);

// What `shared` shares among matrices: the tower, which is the first word of a name, and the smaller side.
std::string shared_key(const std::string& module, std::int64_t side);

struct Adapter {
  AdapterKind kind = AdapterKind::lora;
  std::int64_t rank = 8;
  double scale = 1;  // alpha / rank
  // By the names of the file: "base_model.model.<module>.lora_A.weight" and ".lora_B.weight";
  // "<module>.tt_lora.p1" … "q3"; "<module>.tt_matrix.g1" … "g3"; "<module>.shared.s", "<key>.shared.u" and
  // ".v".
  std::map<std::string, Parameter> tensors;

  // adapter_config.json and adapter_model.safetensors in `folder`. Errors: not_found, corrupt_data,
  // unsupported (another kind of adapter, or an option of peft that moa does not know).
  static Adapter open(const std::filesystem::path& folder);
  // Writes both files. Error: io_error.
  void write(const std::filesystem::path& folder) const;

  // The layers that it sits on, without ".weight", in order.
  std::vector<std::string> modules() const;
  // What it adds to the weight [out, in] of `module`, row-major. Error: shape_mismatch, naming the tensor.
  std::vector<float> delta(const std::string& module, const Shape& weight) const;
  // `weights` with the adapter added to the matrices that it sits on; they are computed when they are read.
  // Error: model_mismatch for a layer that is not there or is no matrix; shape_mismatch.
  Weights merged_into(const Weights& weights) const;
};

}  // namespace moa
