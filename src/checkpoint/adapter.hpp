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
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tensor/parameter.hpp"
#include "tensor/weights.hpp"

namespace moa {

enum class AdapterKind { lora, tt_lora, tt_matrix, shared };
// As people write it: "lora", "tt_lora", "tt_matrix", "shared".
std::string_view name(AdapterKind kind) noexcept;

// How the names of a kind's tensors end, the first of them once for each layer, and how they begin: those of
// LoRA as peft has them.
std::span<const std::string_view> tensor_endings(AdapterKind kind) noexcept;
inline constexpr std::string_view kPeftPrefix = "base_model.model.";
constexpr std::string_view tensor_beginning(AdapterKind kind) noexcept {
  return kind == AdapterKind::lora ? kPeftPrefix : std::string_view();
}

// The sizes of the three modes that an axis of `width` is cut into: twice the same and what is left, so that
// the largest is as small as can be. 768 = 8 · 8 · 12, 3072 = 16 · 16 · 12.
std::array<std::int64_t, 3> tensor_train_modes(std::int64_t width);

// What `shared` shares among matrices: the tower, which is the first word of a name, and the smaller side.
std::string shared_key(const std::string& module, std::int64_t side);
// Whether a matrix of this shape can be cut into squares of its smaller side.
bool is_shareable(const Shape& weight);

// Where an adapter lies: a folder with adapter_config.json and adapter_model.safetensors, or a file of
// tensors with its adapter_config.json beside it.
struct AdapterFiles {
  std::filesystem::path config;
  std::filesystem::path tensors;

  // Error: not_found.
  static AdapterFiles find(const std::filesystem::path& place);
};

struct Adapter {
  AdapterKind kind = AdapterKind::lora;
  std::int64_t rank = 8;
  double scale = 1;   // alpha / rank
  std::string place;  // where it was read, for messages; empty: nowhere
  std::string base;   // the model that it was learned for, as its file says; empty: it does not
  // By the names of the file: "base_model.model.<module>.lora_A.weight" and ".lora_B.weight";
  // "<module>.tt_lora.p1" … "q3"; "<module>.tt_matrix.g1" … "g3"; "<module>.shared.s", "<key>.shared.u" and
  // ".v".
  std::map<std::string, Parameter> tensors;

  // Errors: not_found; corrupt_data (a tensor of a layer is missing, a number that is none); unsupported
  // (another kind of adapter, a tensor or an option of peft that moa does not know).
  static Adapter open(const std::filesystem::path& place);
  // Writes both files. Error: io_error.
  void write(const std::filesystem::path& folder) const;

  // The layers that it sits on, without ".weight", in order.
  std::vector<std::string> modules() const;
  // How many numbers it has.
  std::int64_t numbers() const;
  // `weights` with the adapter added to the matrices that it sits on, which become f32 and are computed row
  // by row when they are read. Reading throws out_of_range for a sum that is no number. Errors:
  // model_mismatch for a layer that is not there, or a tensor that no layer has a use for; shape_mismatch.
  Weights merged_into(const Weights& weights) const;
};

// What decides what an adapter adds, as one word: a hash of its two files. Errors: not_found, io_error.
std::string adapter_identity(const std::filesystem::path& place);

}  // namespace moa
