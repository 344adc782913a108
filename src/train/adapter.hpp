// What adapter is learned, and where it sits.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "checkpoint/adapter.hpp"

namespace moa::train {

struct AdapterOptions {
  AdapterKind kind = AdapterKind::lora;
  std::int64_t rank = 8;
  double alpha = 8;
  // Names of linear layers, without ".weight"; `*` stands for any characters. An adapter sits on every linear
  // layer of the checkpoint that one of them fits.
  std::vector<std::string> targets{"*q_proj", "*v_proj"};
};

}  // namespace moa::train
