// Adapters: few numbers that are learned in place of a model's matrices, and added to them. What an adapter
// adds to a matrix W [out, in] is `delta`, of rank or bond `rank`:
//   lora       (alpha / rank) B A; A [rank, in], B [out, rank]. Hu et al. 2021 (arXiv 2106.09685).
//   tt_lora    the same, and A and B are trains of three cores each.
//   tt_matrix  a train of three cores [bond, out_k, in_k, bond], multiplied out.
//   shared     U S V with U [out, rank] and V [rank, in] shared by all matrices of the same width in a tower,
//              and S [rank, rank] each matrix's own. Jie and Deng 2022 (arXiv 2212.03145), FacT-TT.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace moa::train {

enum class AdapterKind { lora, tt_lora, tt_matrix, shared };

struct AdapterOptions {
  AdapterKind kind = AdapterKind::lora;
  std::int64_t rank = 8;
  double alpha = 8;
  // Names of linear layers, without ".weight"; `*` stands for any characters. An adapter sits on every linear
  // layer of the checkpoint that one of them fits.
  std::vector<std::string> targets{"*q_proj", "*v_proj"};
};

}  // namespace moa::train
