// moa: texts and pictures in one vector space. This header brings in the whole library.
//
//   moa::Model model = moa::Model::load("moa-mini");
//   std::vector<std::filesystem::path> paths = {"dog.jpg", "mountain.jpg"};
//   auto images = model.embed_images(paths);
//   auto query = model.embed_text("강아지");
//   for (const moa::Hit& hit : moa::top(images, query, 5)) …
#pragma once

#include <moa/adapter.hpp>
#include <moa/bench.hpp>
#include <moa/collection.hpp>
#include <moa/compress.hpp>
#include <moa/error.hpp>
#include <moa/eval.hpp>
#include <moa/hub.hpp>
#include <moa/merge.hpp>
#include <moa/model.hpp>
#include <moa/onnx.hpp>
#include <moa/prompt_vectors.hpp>
#include <moa/quantize.hpp>
#include <moa/safetensors.hpp>
#include <moa/system.hpp>
#include <moa/train.hpp>
#include <moa/vectors.hpp>
