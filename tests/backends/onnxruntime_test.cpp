// What can be said without ONNX Runtime is always tested; the rest where MOA_ONNXRUNTIME names it.
#include "backends/onnxruntime/session.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <filesystem>
#include <optional>
#include <string>

#include <gtest/gtest.h>

#include "base/file.hpp"

namespace moa {
namespace {

namespace fs = std::filesystem;

// MOA_ONNXRUNTIME as long as it lives.
class Named {
 public:
  explicit Named(const std::string& value) {
    if (const char* before = std::getenv(kVariable)) before_ = before;
    ::setenv(kVariable, value.c_str(), 1);
  }
  ~Named() {
    if (before_) {
      ::setenv(kVariable, before_->c_str(), 1);
    } else {
      ::unsetenv(kVariable);
    }
  }
  Named(const Named&) = delete;
  Named& operator=(const Named&) = delete;

 private:
  static constexpr const char* kVariable = "MOA_ONNXRUNTIME";
  std::optional<std::string> before_;
};

template <typename Act>
ErrorCode code_of(Act act) {
  try {
    act();
  } catch (const Error& error) {
    return error.code();
  }
  ADD_FAILURE() << "nothing was thrown";
  return ErrorCode::internal;
}

ErrorCode code_of_opening(const std::string& place) {
  const Named named(place);
  return code_of([] { OnnxRuntime::open(); });
}

TEST(OnnxRuntime, IsUnsupportedWhereItsLibraryIsNotThere) {
  EXPECT_EQ(code_of_opening("/nowhere/libonnxruntime.so"), ErrorCode::unsupported);
  EXPECT_EQ(code_of_opening(fs::temp_directory_path().string()), ErrorCode::unsupported);
}

TEST(OnnxRuntime, RefusesALibraryThatIsAnother) {
  EXPECT_EQ(code_of_opening("libc.so.6"), ErrorCode::unsupported);
  EXPECT_EQ(code_of_opening(__FILE__), ErrorCode::unsupported);
}

TEST(OnnxRuntime, ProvidersHaveNames) {
  EXPECT_EQ(onnx_provider_named("tensorrt"), OnnxProvider::tensorrt);
  EXPECT_EQ(name(OnnxProvider::openvino), "openvino");
  EXPECT_EQ(code_of([] { onnx_provider_named("gpu"); }), ErrorCode::invalid_argument);
}

class RealOnnxRuntime : public testing::Test {
 protected:
  void SetUp() override {
    try {
      runtime_ = OnnxRuntime::open();
    } catch (const Error& error) {
      GTEST_SKIP() << error.what();
    }
    fs::create_directories(root_);
  }
  void TearDown() override { fs::remove_all(root_); }
  ErrorCode code_of_graph(const std::string& content) {
    write_file_atomically(root_ / "graph.onnx", content);
    return code_of([&] { OnnxSession::open(runtime_, root_ / "graph.onnx", {}); });
  }

  std::shared_ptr<const OnnxRuntime> runtime_;
  fs::path root_ = fs::temp_directory_path() / ("moa-onnxruntime-" + std::to_string(::getpid()));
};

TEST_F(RealOnnxRuntime, HasTheCpuAndRefusesWhatItLacks) {
  const std::vector<std::string> there = runtime_->providers();
  EXPECT_NE(std::find(there.begin(), there.end(), "CPUExecutionProvider"), there.end());
  if (std::find(there.begin(), there.end(), "CoreMLExecutionProvider") == there.end()) {
    EXPECT_EQ(code_of([&] {
                OnnxSession::open(runtime_, "graph.onnx", {OnnxProvider::coreml, 1});
              }),
              ErrorCode::unsupported);
  }
}

TEST_F(RealOnnxRuntime, RefusesWhatIsNoGraph) {
  EXPECT_EQ(code_of_graph(""), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of_graph("no graph at all"), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of_graph(std::string(1000, '\x0a')), ErrorCode::corrupt_data);
  EXPECT_EQ(code_of([&] { OnnxSession::open(runtime_, root_ / "absent.onnx", {}); }), ErrorCode::not_found);
}

}  // namespace
}  // namespace moa
