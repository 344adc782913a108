"""Writes tests/image/golden/processors.txt: XXH3-128 of the float32 pixel values that image processors give for noise.

Made with transformers 5.23.0 (its PIL backend), open_clip_torch 3.3.0, torchvision 0.29.2, torch 2.15.0, Pillow 13.0.0.
Each line: source, tab, configuration (JSON), tab, width, height, seed, tab, hash
The configuration is what preprocessor_config.json holds, or open_clip's preprocess_cfg.
"""

import json
import pathlib
import warnings

import numpy as np
import transformers
import xxhash
from open_clip.transform import PreprocessCfg, image_transform_v2
from PIL import Image

from pillow_noise import noise

SIZES = [(224, 224), (640, 480), (480, 640), (101, 101), (100, 50), (31, 997), (997, 31), (1, 1), (333, 500), (227, 225)]

TRANSFORMERS = [
    {"image_processor_type": "CLIPImageProcessor"},
    # as 4.x wrote it, numbers for sizes
    {"feature_extractor_type": "CLIPFeatureExtractor", "size": 224, "crop_size": 224, "resample": 3, "do_resize": True,
     "do_center_crop": True, "do_normalize": True, "image_mean": [0.48145466, 0.4578275, 0.40821073],
     "image_std": [0.26862954, 0.26130258, 0.27577711]},
    {"image_processor_type": "CLIPImageProcessorFast", "size": {"shortest_edge": 49}, "crop_size": {"height": 49, "width": 49},
     "rescale_factor": 0.00392156862745098, "data_format": "channels_first"},
    {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 64}, "crop_size": {"height": 90, "width": 71}},
    {"image_processor_type": "CLIPImageProcessor", "size": {"shortest_edge": 50, "longest_edge": 80}, "crop_size": 61,
     "resample": 2},
    {"image_processor_type": "CLIPImageProcessor", "do_resize": False, "crop_size": 60},
    {"image_processor_type": "CLIPImageProcessor", "do_center_crop": False, "size": {"height": 48, "width": 33}, "resample": 1},
    {"image_processor_type": "CLIPImageProcessor", "do_rescale": False, "size": 32, "crop_size": 32, "resample": 0},
    {"image_processor_type": "CLIPImageProcessor", "do_normalize": False, "size": 32, "crop_size": 32, "resample": 4},
    {"image_processor_type": "ChineseCLIPImageProcessor", "size": {"height": 40, "width": 40}, "do_center_crop": False},
    {"image_processor_type": "SiglipImageProcessor"},
    {"image_processor_type": "SiglipImageProcessor", "size": {"height": 384, "width": 384}, "resample": 2},
    {"image_processor_type": "ViTImageProcessor"},
    {"feature_extractor_type": "ViTFeatureExtractor", "size": 56, "image_mean": [0.485, 0.456, 0.406],
     "image_std": [0.229, 0.224, 0.225]},
    {"image_processor_type": "DeiTImageProcessor"},
    {"image_processor_type": "BlipImageProcessor"},
    {"image_processor_type": "BitImageProcessor", "size": {"shortest_edge": 256}, "image_mean": [0.485, 0.456, 0.406],
     "image_std": [0.229, 0.224, 0.225]},
    {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 70, "width": 70}, "do_center_crop": True,
     "crop_size": {"height": 61, "width": 61}},
    {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 70, "width": 70}, "rescale_offset": True,
     "rescale_factor": 0.00784313725490196, "include_top": False, "do_normalize": False},
    {"image_processor_type": "EfficientNetImageProcessor", "size": {"height": 70, "width": 70}, "rescale_offset": True,
     "image_std": [0.25, 0.3, 0.4]},
    {"image_processor_type": "ConvNextImageProcessor", "size": {"shortest_edge": 224}, "crop_pct": 0.9},
    {"image_processor_type": "ConvNextImageProcessor"},
    {"image_processor_type": "LlavaImageProcessor", "do_pad": True, "size": 56, "crop_size": 56},
    {"image_processor_type": "LlavaImageProcessor"},
    # what published repositories of each system say, as 4.x and 5.x wrote it
    {"image_processor_type": "SiglipImageProcessorFast", "size": {"height": 256, "width": 256}, "resample": 2, "do_convert_rgb": None,
     "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "rescale_factor": 0.00392156862745098},
    {"image_processor_type": "SiglipImageProcessor", "size": {"height": 378, "width": 378}, "resample": 3, "do_convert_rgb": True},
    {"image_processor_type": "EfficientNetImageProcessor", "crop_size": {"height": 289, "width": 289}, "do_center_crop": True, "do_normalize": False,
     "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5], "include_top": False, "resample": 2, "rescale_factor": 0.00784313725490196,
     "rescale_offset": True, "size": {"height": 346, "width": 346}},
    {"image_processor_type": "BlipImageProcessorFast", "size": {"height": 384, "width": 384}, "resample": 3, "do_pad": False,
     "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]},
    {"image_processor_type": "ViTImageProcessorFast", "size": {"height": 224, "width": 224}, "image_mean": [0.5, 0.5, 0.5], "image_std": [0.5, 0.5, 0.5]},
    {"feature_extractor_type": "DeiTFeatureExtractor", "size": 256, "crop_size": 224, "resample": 3, "do_center_crop": True,
     "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225]},
    {"image_processor_type": "DeiTImageProcessorFast", "size": {"height": 256, "width": 256}, "crop_size": {"height": 224, "width": 224}},
    {"image_processor_type": "BitImageProcessor", "crop_size": {"height": 224, "width": 224}, "size": {"shortest_edge": 256}, "do_convert_rgb": True,
     "image_mean": [0.485, 0.456, 0.406], "image_std": [0.229, 0.224, 0.225], "resample": 3},
    {"feature_extractor_type": "ChineseCLIPFeatureExtractor", "size": {"height": 224, "width": 224}, "do_center_crop": False, "resample": 3,
     "image_mean": [0.48145466, 0.4578275, 0.40821073], "image_std": [0.26862954, 0.26130258, 0.27577711]},
]

# Pictures in their own shapes.
PATCHES = [
    {"image_processor_type": "Siglip2ImageProcessor"},
    {"image_processor_type": "Siglip2ImageProcessorFast", "patch_size": 14, "max_num_patches": 61, "resample": 3, "image_mean": [0.4, 0.5, 0.6]},
    {"image_processor_type": "Siglip2ImageProcessor", "patch_size": 16, "max_num_patches": 1, "do_normalize": False},
    {"image_processor_type": "Siglip2ImageProcessor", "patch_size": 5, "max_num_patches": 1024},
]

OPEN_CLIP = [
    {"size": 224},
    {"size": 64, "resize_mode": "squash", "interpolation": "bilinear", "mean": [0.5, 0.5, 0.5], "std": [0.5, 0.5, 0.5]},
    {"size": 61, "resize_mode": "shortest"},
    {"size": [48, 71], "resize_mode": "shortest", "interpolation": "bilinear"},
    {"size": 64, "resize_mode": "longest", "fill_color": 0},
    {"size": [51, 64], "resize_mode": "longest", "fill_color": 200},
    {"size": [51, 64], "resize_mode": "squash"},
    # MobileCLIP's, DFN's, CLIPA's
    {"size": 256, "mode": "RGB", "mean": [0.0, 0.0, 0.0], "std": [1.0, 1.0, 1.0], "interpolation": "bilinear", "resize_mode": "shortest", "fill_color": 0},
    {"size": [224, 224], "mode": "RGB", "mean": [0.48145466, 0.4578275, 0.40821073], "std": [0.26862954, 0.26130258, 0.27577711],
     "interpolation": "bicubic", "resize_mode": "squash", "fill_color": 0},
    {"size": 84, "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225], "interpolation": "bilinear", "resize_mode": "squash"},
]


def transformers_pixels(config, picture):
    named = config.get("image_processor_type", config.get("feature_extractor_type"))
    stem = named.replace("Fast", "").replace("FeatureExtractor", "ImageProcessor")
    processor = getattr(transformers, stem + "Pil").from_dict(dict(config))
    return processor(picture, return_tensors="np")["pixel_values"][0]


def patch_values(config, picture):
    """The patches of the picture itself, behind the size of their grid, without the padding that a batch would need."""
    processed = transformers.Siglip2ImageProcessorPil.from_dict(dict(config))(picture, return_tensors="np")
    height, width = processed["spatial_shapes"][0]
    return np.concatenate([[height, width], processed["pixel_values"][0][: height * width].ravel()])


def open_clip_pixels(config, picture):
    return image_transform_v2(PreprocessCfg(**config), is_train=False)(picture).numpy()


def main():
    warnings.simplefilter("ignore")
    lines = []
    for source, configs, pixels in (("transformers", TRANSFORMERS, transformers_pixels), ("open_clip", OPEN_CLIP, open_clip_pixels),
                                    ("patches", PATCHES, patch_values)):
        for index, config in enumerate(configs):
            for width, height in SIZES:
                seed = 7 * index + width % 5
                values = None
                try:
                    values = pixels(config, Image.fromarray(noise(width, height, seed)))
                except ValueError as problem:  # a strip that resizes to nothing
                    print(source, config, width, height, problem)
                    continue
                values = np.ascontiguousarray(values, dtype=np.float32)
                hashed = xxhash.xxh3_128_hexdigest(values.tobytes())
                lines.append(f"{source}\t{json.dumps(config)}\t{width} {height} {seed}\t{hashed}\n")
    target = pathlib.Path(__file__).parent.parent / "image" / "golden" / "processors.txt"
    target.write_text("".join(lines))


if __name__ == "__main__":
    main()
