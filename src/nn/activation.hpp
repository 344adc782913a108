// nn: layers that several architectures share, written in Ops. It knows no architecture, no backend and no
// file. This header: activations by the names that configurations use.
#pragma once

#include <string_view>

#include "tensor/ops.hpp"

namespace moa {

// "quick_gelu", "gelu", "gelu_new", "gelu_pytorch_tanh", "relu", "silu", … as transformers spells them.
// `where` names the configuration in the error: unsupported, with what is known.
Activation activation_named(std::string_view name, std::string_view where);

}  // namespace moa
