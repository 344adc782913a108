"""Golden adapters for a golden CLIP, from the reference implementation.

Versions: torch 2.15.0, transformers 5.23.0, peft 0.21.0 (PyPI).
Usage: python tests/parity/adapters.py            (writes tests/golden/adapters/)
       python tests/parity/adapters.py check FOLDER  (an adapter that moa wrote for tests/golden/clip/odd_sizes, loaded by peft)
       python tests/parity/adapters.py merged FOLDER (a model that `moa merge` wrote, loaded by transformers)

Each folder is what peft saves of an adapter with random numbers on tests/golden/clip/odd_sizes, and `expected.safetensors`: the vectors
that the reference computes with it, of that checkpoint's own ids and pixels. The last two print vectors as JSON lines, to be set beside moa's.
"""

import json
import sys
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from safetensors.torch import load_file, save_file
from transformers import CLIPModel

GOLDEN = Path(__file__).resolve().parent.parent / "golden"
BASE = GOLDEN / "clip" / "odd_sizes"


def base():
    return CLIPModel.from_pretrained(BASE, attn_implementation="eager").eval()


@torch.no_grad()
def vectors(model):
    inputs = load_file(BASE / "expected.safetensors")
    image = model.visual_projection(model.vision_model(inputs["pixels"]).pooler_output)
    text, begin = [], 0
    for length in inputs["lengths"].tolist():
        row = inputs["ids"][begin : begin + length].long()[None]
        text.append(model.text_projection(model.text_model(row).pooler_output)[0])
        begin += length
    unit = lambda rows: torch.nn.functional.normalize(rows, eps=0).contiguous()
    return {"image_vectors": unit(image), "text_vectors": unit(torch.stack(text))}


def make(name, seed, **options):
    model = get_peft_model(base(), LoraConfig(**options))
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for key, p in model.named_parameters():
            if "lora_" in key:
                p.copy_(torch.randn(p.shape, generator=generator) * 0.3)
    folder = GOLDEN / "adapters" / name
    model.save_pretrained(folder)
    (folder / "README.md").unlink(missing_ok=True)
    config = json.loads((folder / "adapter_config.json").read_text())
    config["base_model_name_or_path"] = "clip/odd_sizes"  # and not where it lay here
    (folder / "adapter_config.json").write_text(json.dumps(config, indent=2) + "\n")
    save_file(vectors(model.base_model.model), folder / "expected.safetensors")


if len(sys.argv) == 3:
    model = PeftModel.from_pretrained(base(), sys.argv[2]).base_model.model if sys.argv[1] == "check" else CLIPModel.from_pretrained(sys.argv[2]).eval()
    for kind, rows in vectors(model).items():
        print(json.dumps({kind: rows.tolist()}))
else:
    make("lora", 1, r=3, lora_alpha=6, target_modules=["q_proj", "v_proj", "fc1", "fc2"])
    make("rslora", 2, r=4, lora_alpha=2, use_rslora=True, target_modules=r".*(text_model|vision_model).*\.(k_proj|out_proj)|visual_projection")
    make("dora", 3, r=2, lora_alpha=2, use_dora=True, target_modules=["q_proj"])
