// Reading image processors from the files that describe them.
#include <algorithm>
#include <cmath>
#include <initializer_list>

#include "image/patch_processor.hpp"
#include "image/processor.hpp"

namespace moa {
namespace {

constexpr std::int64_t kMaxEdge = 4096;
constexpr std::array<double, 3> kOpenAiMean = {0.48145466, 0.4578275, 0.40821073};
constexpr std::array<double, 3> kOpenAiStd = {0.26862954, 0.26130258, 0.27577711};
constexpr std::array<double, 3> kHalf = {0.5, 0.5, 0.5};

// The defaults of one processor class of transformers 5.23 (models/*/image_processing_pil_*.py).
struct ProcessorClass {
  std::string_view name;  // without ImageProcessor, ImageProcessorFast or FeatureExtractor
  PictureRecipe::Fit fit;
  std::int64_t size_px;
  bool int_is_square;  // what a bare `size: 224` means
  bool crops;
  std::int64_t crop_px;
  ResizeFilter filter = ResizeFilter::bicubic;
  bool is_openai = true;  // OpenAI's mean and std; otherwise 0.5
};

using enum PictureRecipe::Fit;
constexpr ProcessorClass kClasses[] = {
    {"CLIP", shortest, 224, false, true, 224},
    {"ChineseCLIP", shortest, 224, false, true, 224},
    {"Bit", shortest, 224, false, true, 224},
    {"Llava", shortest, 224, false, true, 224},
    {"Siglip", exact, 224, false, false, 224, ResizeFilter::bicubic, false},
    {"ViT", exact, 224, true, false, 224, ResizeFilter::bilinear, false},
    {"DeiT", exact, 256, true, true, 224, ResizeFilter::bicubic, false},
    {"Blip", exact, 384, true, false, 384},
    {"EfficientNet", exact, 346, true, false, 289, ResizeFilter::bicubic, false},
    {"ConvNext", shortest, 384, false, false, 224, ResizeFilter::bicubic, false},
};

[[noreturn]] void fail(ErrorCode code, const Config& config, const std::string& reason) {
  throw Error(code, "cannot build an image processor from " + config.where() + ": " + reason);
}

// The class's name without what tells its implementations apart.
std::string_view stem_of(std::string_view type) {
  for (const std::string_view ending : {"Pil", "Fast", "ImageProcessor", "FeatureExtractor"}) {
    if (type.ends_with(ending)) type.remove_suffix(ending.size());
  }
  return type;
}

const ProcessorClass& find_class(const Config& config, std::string_view type) {
  const std::string_view stem = stem_of(type);
  for (const ProcessorClass& known : kClasses) {
    if (known.name == stem) return known;
  }
  fail(ErrorCode::unsupported, config, "'" + std::string(type) + "' is not a processor that moa knows");
}

// `key` as an object {"height", "width"}, a list [height, width], or a number for both. False if it is none
// of these.
bool read_box(const Config& config, const std::string& key, std::int64_t& width_px, std::int64_t& height_px) {
  if (config.is_number(key)) {
    width_px = height_px = config.integer(key, 0, 1, kMaxEdge);
    return true;
  }
  if (config.is_array(key)) {
    const std::vector<double> edges = config.numbers(key, {});
    if (edges.size() != 2 ||
        !(edges[0] >= 1 && edges[0] <= kMaxEdge && edges[1] >= 1 && edges[1] <= kMaxEdge)) {
      fail(ErrorCode::out_of_range, config, "'" + key + "' is not a [height, width] of 1 to 4096");
    }
    height_px = static_cast<std::int64_t>(edges[0]);
    width_px = static_cast<std::int64_t>(edges[1]);
    return true;
  }
  const Config box = config.object(key);
  if (!box.has("height") || !box.has("width")) return false;
  height_px = box.integer("height", 0, 1, kMaxEdge);
  width_px = box.integer("width", 0, 1, kMaxEdge);
  return true;
}

void read_size(const Config& config, const ProcessorClass& known, PictureRecipe& recipe) {
  recipe.fit = known.fit;
  recipe.shortest_px = recipe.width_px = recipe.height_px = known.size_px;
  if (!config.has("size")) return;
  const bool is_edge = config.is_number("size") && !known.int_is_square;
  if (!is_edge && read_box(config, "size", recipe.width_px, recipe.height_px)) {
    recipe.fit = exact;
    return;
  }
  const Config edges = is_edge ? Config() : config.object("size");
  if (!is_edge && !edges.has("shortest_edge")) {
    fail(ErrorCode::unsupported, config, "'size' has neither height and width nor shortest_edge");
  }
  recipe.fit = shortest;
  recipe.shortest_px =
      is_edge ? config.integer("size", 0, 1, kMaxEdge) : edges.integer("shortest_edge", 0, 1, kMaxEdge);
  recipe.longest_px = edges.integer("longest_edge", 0, 0, kMaxEdge);
}

void read_crop(const Config& config, std::int64_t default_px, PictureRecipe& recipe) {
  recipe.crop = true;
  recipe.crop_width_px = recipe.crop_height_px = default_px;
  if (config.has("crop_size") &&
      !read_box(config, "crop_size", recipe.crop_width_px, recipe.crop_height_px)) {
    fail(ErrorCode::unsupported, config, "'crop_size' has no height and width");
  }
}

// ConvNeXT resizes by its own rule: below 384 it crops what is left of a larger picture, above it squashes.
void apply_convnext_rule(const Config& config, PictureRecipe& recipe) {
  if (recipe.fit != shortest)
    fail(ErrorCode::unsupported, config, "'size' of a ConvNeXT processor has no shortest_edge");
  const std::int64_t edge = recipe.shortest_px;
  if (edge >= 384) {
    recipe.fit = exact;
    recipe.width_px = recipe.height_px = edge;
    return;
  }
  const double kept = config.number("crop_pct", 224.0 / 256.0);
  if (!(kept > 0.05 && kept <= 1.0))
    fail(ErrorCode::out_of_range, config, "'crop_pct' is not between 0.05 and 1");
  recipe.shortest_px = static_cast<std::int64_t>(static_cast<double>(edge) / kept);
  recipe.crop = true;
  recipe.crop_width_px = recipe.crop_height_px = edge;
}

ResizeFilter read_filter(const Config& config, ResizeFilter fallback) {
  // The numbers of PIL.Image.Resampling.
  constexpr ResizeFilter kByNumber[] = {ResizeFilter::nearest, ResizeFilter::lanczos, ResizeFilter::bilinear,
                                        ResizeFilter::bicubic, ResizeFilter::box,     ResizeFilter::hamming};
  if (!config.has("resample")) return fallback;
  const std::int64_t number = config.integer("resample", 0, INT32_MIN, INT32_MAX);
  if (number < 0 || number >= static_cast<std::int64_t>(std::size(kByNumber))) {
    fail(ErrorCode::unsupported, config, "'resample' is " + std::to_string(number) + ", expected 0 to 5");
  }
  return kByNumber[number];
}

// One number for all channels, or one each.
std::array<double, 3> read_channels(const Config& config, const std::string& key,
                                    const std::array<double, 3>& fallback) {
  if (!config.has(key)) return fallback;
  if (config.is_number(key)) {
    const double value = config.number(key, 0);
    return {value, value, value};
  }
  const std::vector<double> values = config.numbers(key, {});
  if (values.size() != 3) {
    fail(ErrorCode::unsupported, config,
         "'" + key + "' has " + std::to_string(values.size()) + " values, expected 3");
  }
  return {values[0], values[1], values[2]};
}

void check_numbers(const Config& config, const PictureRecipe& recipe) {
  for (std::size_t c = 0; c < 3; ++c) {
    const auto std = static_cast<float>(recipe.std[c]);
    if (!std::isfinite(std) || std == 0.0f || !std::isfinite(static_cast<float>(recipe.mean[c]))) {
      fail(ErrorCode::out_of_range, config, "mean and std must be finite numbers, and std not 0");
    }
  }
  if (!std::isfinite(recipe.rescale_factor))
    fail(ErrorCode::out_of_range, config, "'rescale_factor' is not finite");
}

// What becomes of the bytes.
void read_values(const Config& config, bool is_openai, PictureRecipe& recipe) {
  recipe.rescale = config.boolean("do_rescale", true);
  recipe.rescale_factor = config.number("rescale_factor", 1.0 / 255.0);
  recipe.normalize = config.boolean("do_normalize", true);
  recipe.mean = read_channels(config, "image_mean", is_openai ? kOpenAiMean : kHalf);
  recipe.std = read_channels(config, "image_std", is_openai ? kOpenAiStd : kHalf);
  check_numbers(config, recipe);
}

std::string named_type(const Config& config, std::string_view fallback) {
  return config.string("image_processor_type", config.string("feature_extractor_type", fallback));
}

}  // namespace

PatchProcessor PatchProcessor::from_config(const Config& config) {
  PictureRecipe recipe;
  recipe.type = named_type(config, "");
  if (!recipe.type.empty() && stem_of(recipe.type) != "Siglip2") {
    fail(ErrorCode::unsupported, config,
         "'" + recipe.type + "' does not cut pictures into patches, expected Siglip2ImageProcessor");
  }
  if (!config.boolean("do_resize", true)) {
    fail(ErrorCode::unsupported, config, "'do_resize': found false, expected true");
  }
  recipe.filter = read_filter(config, ResizeFilter::bilinear);
  read_values(config, false, recipe);
  return {recipe, config.integer("patch_size", 16, 1, 1024),
          config.integer("max_num_patches", 256, 1, 65536)};
}

ImageProcessor ImageProcessor::from_config(const Config& config, std::string_view fallback_type) {
  PictureRecipe recipe;
  recipe.type = named_type(config, fallback_type);
  if (recipe.type.empty()) {
    fail(ErrorCode::unsupported, config,
         "it names no 'image_processor_type'; add the one that the model was trained with, such as "
         "\"CLIPImageProcessor\"");
  }
  const ProcessorClass& known = find_class(config, recipe.type);
  const bool is_llava = known.name == "Llava";
  const bool is_efficientnet = known.name == "EfficientNet";

  recipe.filter = read_filter(config, known.filter);
  if (config.boolean("do_resize", true)) {
    read_size(config, known, recipe);
    if (known.name == "ConvNext") apply_convnext_rule(config, recipe);
  }
  if (config.boolean("do_center_crop", known.crops)) read_crop(config, known.crop_px, recipe);
  if (!recipe.crop && recipe.fit != exact) {
    fail(ErrorCode::unsupported, config,
         "without a crop or an exact size, pictures would come out in different sizes");
  }
  read_values(config, known.is_openai, recipe);
  recipe.rescale_offset = is_efficientnet && config.boolean("rescale_offset", false);
  recipe.divide_by_std = is_efficientnet && config.boolean("include_top", true);
  // Other classes pad to the largest of a batch, and all are of one size already.
  recipe.pad_to_square = is_llava && config.boolean("do_pad", false);
  if (!is_llava && config.has("pad_size")) {
    fail(ErrorCode::unsupported, config, "'pad_size' of " + recipe.type);
  }
  for (std::size_t c = 0; c < 3; ++c) {
    recipe.square_fill[c] = static_cast<std::uint8_t>(std::clamp(recipe.mean[c] * 255, 0.0, 255.0));
  }
  return ImageProcessor(std::move(recipe));
}

ImageProcessor ImageProcessor::from_open_clip(const Config& config, std::int64_t image_size_px) {
  PictureRecipe recipe;
  recipe.type = "open_clip";
  recipe.middle = PictureRecipe::Middle::torchvision;
  recipe.divide_by_255 = true;
  recipe.mean = read_channels(config, "mean", kOpenAiMean);
  recipe.std = read_channels(config, "std", kOpenAiStd);
  check_numbers(config, recipe);
  if (const std::string mode = config.string("mode", "RGB"); mode != "RGB")
    fail(ErrorCode::unsupported, config, "mode " + mode);

  const std::string filter = config.string("interpolation", "bicubic");
  if (filter != "bicubic" && filter != "bilinear" && filter != "random") {
    fail(ErrorCode::unsupported, config, "interpolation '" + filter + "'");
  }
  recipe.filter = filter == "bilinear" ? ResizeFilter::bilinear : ResizeFilter::bicubic;

  if (!read_box(config, "size", recipe.width_px, recipe.height_px)) {
    if (image_size_px < 1 || image_size_px > kMaxEdge) {
      fail(ErrorCode::out_of_range, config, "an image size of " + std::to_string(image_size_px));
    }
    recipe.width_px = recipe.height_px = image_size_px;
  }
  const std::string resize_mode = config.string("resize_mode", "shortest");
  if (resize_mode == "squash") {
    recipe.fit = exact;
    return ImageProcessor(std::move(recipe));
  }
  recipe.crop = true;
  recipe.crop_width_px = recipe.width_px;
  recipe.crop_height_px = recipe.height_px;
  if (resize_mode == "longest") {
    recipe.fit = contain;
    recipe.crop_fill = static_cast<std::uint8_t>(config.integer("fill_color", 0, 0, 255));
  } else if (resize_mode == "shortest" && recipe.width_px == recipe.height_px) {
    recipe.fit = shortest;
    recipe.shortest_px = recipe.width_px;
  } else if (resize_mode == "shortest") {
    recipe.fit = cover;
    recipe.filter = ResizeFilter::bicubic;  // sic: open_clip forgets the interpolation here
  } else {
    fail(ErrorCode::unsupported, config, "resize_mode '" + resize_mode + "'");
  }
  return ImageProcessor(std::move(recipe));
}

}  // namespace moa
