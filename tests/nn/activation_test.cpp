#include "nn/activation.hpp"

#include <gtest/gtest.h>

#include <moa/error.hpp>

namespace moa {
namespace {

TEST(ActivationNamed, KnowsTheNamesThatConfigurationsUse) {
  EXPECT_EQ(activation_named("quick_gelu", "config.json"), Activation::quick_gelu);
  EXPECT_EQ(activation_named("gelu", "config.json"), Activation::gelu);
  EXPECT_EQ(activation_named("gelu_pytorch_tanh", "config.json"), Activation::gelu_tanh);
  EXPECT_EQ(activation_named("swish", "config.json"), Activation::silu);
}

TEST(ActivationNamed, RefusesAnotherNameAsUnsupportedAndNamesIt) {
  try {
    activation_named("mish", "config.json: text_config");
    FAIL();
  } catch (const Error& error) {
    EXPECT_EQ(error.code(), ErrorCode::unsupported);
    EXPECT_NE(std::string(error.what()).find("'mish'"), std::string::npos);
  }
}

}  // namespace
}  // namespace moa
