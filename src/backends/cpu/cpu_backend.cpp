#include "backends/cpu/cpu_backend.hpp"

#include "backends/cpu/interpreter.hpp"

namespace moa {

struct CpuBackend::State {
  State(const CpuOptions& options, const cpu::Kernels& kernels)
      : engine(kernels, options.threads == 0 ? available_threads() : options.threads, options.precision) {}
  cpu::Engine engine;
};

CpuBackend::CpuBackend(const CpuOptions& options) : CpuBackend(options, cpu::chosen_kernels()) {}

CpuBackend::CpuBackend(const CpuOptions& options, const cpu::Kernels& kernels)
    : state_(std::make_unique<State>(options, kernels)) {}

CpuBackend::~CpuBackend() = default;

std::unique_ptr<Interpreter> CpuBackend::interpreter() {
  return std::make_unique<cpu::CpuInterpreter>(state_->engine);
}

int CpuBackend::threads() const noexcept {
  return state_->engine.threads.threads();
}

CpuMemory CpuBackend::memory() const {
  return {state_->engine.weights.bytes(), state_->engine.blocks.bytes()};
}

std::int64_t CpuBackend::multiply_adds() const noexcept {
  return state_->engine.multiply_adds;
}

void CpuBackend::trim() {
  state_->engine.blocks.trim();
}

}  // namespace moa
