// Options that several commands share.
#pragma once

#include <array>

#include "cli/command.hpp"

namespace moa::cli {

// How a model is loaded; read by load_options().
inline constexpr std::array kModelOptions = {
    Option{'m',
           "model",
           "M",
           "The model: a directory, the name of a bundled model, or a hub id in the local cache (moa models "
           "lists them)",
           {},
           "MOA_MODEL",
           Completes::models},
    Option{0, "device", "DEVICE", "Where to compute", "auto|cpu|cuda", "MOA_DEVICE"},
    Option{0, "dtype", "TYPE", "Precision to compute in; auto is f32 unless the checkpoint is quantized",
           "auto|f32|bf16|int8", "MOA_DTYPE"},
    Option{0, "engine", "ENGINE",
           "What computes: moa, or ONNX Runtime, which runs a directory that moa export wrote "
           "(MOA_ONNXRUNTIME names its library)",
           "moa|onnxruntime", "MOA_ENGINE"},
    Option{0, "provider", "P", "ONNX Runtime's execution provider; one that is not there is an error",
           "cpu|cuda|tensorrt|openvino|coreml"},
    Option{0, "fast-decode", "",
           "Decode large JPEGs at a fraction of their size: faster, but vectors move a little and are kept "
           "apart from others"},
    Option{0, "text-cache", "WHEN",
           "Keep the vectors of texts on disk, so that a query or label that comes again costs nothing (off)",
           "on|off", "MOA_TEXT_CACHE"},
    Option{'t',
           "threads",
           "N",
           "Threads for computing and decoding together; 0: as many as there are CPUs",
           {},
           "MOA_THREADS"},
    Option{0,
           "text-model",
           "M",
           "Texts go to this model instead, which learned to place them where --model places pictures",
           {},
           {},
           Completes::models},
    Option{0,
           "adapter",
           "F",
           "Add this adapter to the model's weights: a folder that moa train or peft (LoRA) wrote, or its "
           "safetensors file",
           {},
           {},
           Completes::files},
    Option{0,
           "prompt-vectors",
           "F",
           "Put the vectors that moa train learned (prompt:) before every text; a label is then named alone",
           {},
           {},
           Completes::files},
};

// Of these, what a command takes that writes another model and compares both: --device, --fast-decode and
// --threads. It computes by moa alone.
inline constexpr std::array kComparingOptions = {kModelOptions[1], kModelOptions[5], kModelOptions[7]};
static_assert(kComparingOptions[0].name == "device" && kComparingOptions[1].name == "fast-decode" &&
              kComparingOptions[2].name == "threads");

// How pictures go through it; read by embed_options().
inline constexpr std::array kPictureOptions = {
    Option{0, "batch", "N", "The most items in one forward pass; 0: chosen by the work they are"},
    Option{0, "max-megapixels", "N", "Refuse a picture that declares more millions of pixels (256)"},
};

// Every command has these, as its last group.
inline constexpr std::array kTalkOptions = {
    Option{0, "progress", "WHEN", "Draw a progress bar; auto: when stderr is a terminal",
           "auto|always|never"},
    Option{'q', "quiet", "", "Errors only: no progress, notes or warnings"},
    Option{'h', "help", "", "Show this help"},
};

}  // namespace moa::cli
