#include "nn/activation.hpp"

#include <array>
#include <string>
#include <utility>

#include <moa/error.hpp>

namespace moa {
namespace {

constexpr std::array<std::pair<std::string_view, Activation>, 12> kNames = {{
    {"quick_gelu", Activation::quick_gelu},
    {"gelu", Activation::gelu},
    {"gelu_python", Activation::gelu},
    {"gelu_new", Activation::gelu_tanh},
    {"gelu_fast", Activation::gelu_tanh},
    {"gelu_pytorch_tanh", Activation::gelu_tanh},
    {"relu", Activation::relu},
    {"relu6", Activation::relu6},
    {"silu", Activation::silu},
    {"swish", Activation::silu},
    {"tanh", Activation::tanh},
    {"sigmoid", Activation::sigmoid},
}};

}  // namespace

Activation activation_named(std::string_view name, std::string_view where) {
  std::string known;
  for (const auto& [candidate, activation] : kNames) {
    if (candidate == name) return activation;
    known += (known.empty() ? "" : ", ") + std::string(candidate);
  }
  throw Error(ErrorCode::unsupported, std::string(where) + ": found activation '" + std::string(name) +
                                          "', expected one of " + known);
}

}  // namespace moa
