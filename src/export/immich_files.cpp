#include "export/immich_files.hpp"

#include <string>

#include <moa/error.hpp>
#include <nlohmann/json.hpp>

#include "backends/onnx/names.hpp"
#include "image/processor.hpp"

namespace moa {
namespace {

using nlohmann::json;

json preprocess_cfg(const ImageProcessor& processor) {
  const PictureRecipe& recipe = processor.recipe();
  const bool squashes = recipe.fit == PictureRecipe::Fit::exact && !recipe.crop;
  const bool crops =
      recipe.fit == PictureRecipe::Fit::shortest && recipe.crop && recipe.shortest_px == recipe.crop_width_px;
  if (processor.width_px() != processor.height_px() || recipe.pad_to_square || recipe.rescale_offset ||
      recipe.divide_by_std || (!squashes && !crops)) {
    throw Error(ErrorCode::unsupported,
                "cannot export for immich: it prepares pictures by squashing them to a square, or by their "
                "shortest edge and a square from the middle; found: " +
                    processor.description());
  }
  return {{"size", {processor.height_px(), processor.width_px()}},
          {"mode", "RGB"},
          {"mean", recipe.mean},
          {"std", recipe.std},
          {"interpolation", name(recipe.filter)},
          {"resize_mode", squashes ? "squash" : "shortest"},
          {"fill_color", 0}};
}

}  // namespace

void write_immich_files(const LoadedModel& model, const std::vector<OnnxGraph>& graphs,
                        NewDirectory& directory) {
  json config = {{"embed_dim", model.network().dim()}};
  for (const OnnxGraph& graph : graphs) {
    if (graph.holds == OnnxGraph::Holds::text) {
      if (!model.directory().file("tokenizer.json") || !model.directory().file("tokenizer_config.json")) {
        throw Error(ErrorCode::unsupported,
                    "cannot export for immich: it reads tokenizer.json and tokenizer_config.json, and " +
                        model.directory().path().string() + " has not both");
      }
      config["text_cfg"] = {{"context_length", model.network().text()->context_tokens},
                            {"vocab_size", model.network().text()->vocabulary}};
    } else {
      config["vision_cfg"] = {{"image_size", model.network().image()->height_px}};
      directory.write(std::string(immich::kImageFolder) + "/" + std::string(immich::kProcessor),
                      preprocess_cfg(model.processor()).dump(2) + "\n");
    }
  }
  directory.write(immich::kConfig, config.dump(2) + "\n");
}

}  // namespace moa
