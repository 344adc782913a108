#include <type_traits>

#include <moa/error.hpp>
#include <moa/export.hpp>

#include "base/component.hpp"
#include "train/component/torch_engine.hpp"

extern "C" MOA_API int moa_train_make_engine(const moa::EmbeddingModel* model,
                                             const std::vector<moa::Parameter>* parameters,
                                             const moa::train::EngineOptions* options,
                                             std::unique_ptr<moa::train::TrainingEngine>* engine,
                                             std::string* message) {
  return moa::without_exceptions(message, "cannot train: out of memory", [&] {
    *engine = moa::train::make_torch_engine(*model, *parameters, *options);
  });
}

static_assert(std::is_same_v<decltype(moa_train_make_engine), moa::train::MakeEngineFunction>);
