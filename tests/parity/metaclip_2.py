"""Golden checkpoints of MetaCLIP 2, stage by stage.

Versions: torch 2.15.0, transformers 5.23.0, Pillow 13.0.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/metaclip_2.py            (writes tests/golden/metaclip_2/)
"""

import os
import shutil
import sys
from pathlib import Path

import torch
from transformers import MetaClip2Config, MetaClip2Model

from clip import transformers_case
from tiny_tokenizers import xlm_roberta

OUT = Path(__file__).resolve().parent.parent / "golden" / "metaclip_2"


def main():
    torch.manual_seed(0)
    shutil.rmtree(OUT, ignore_errors=True)
    common = dict(legacy_eos=False, out=OUT, classes=(MetaClip2Config, MetaClip2Model), tokenizer_of=lambda folder: xlm_roberta(folder, 77))
    transformers_case(
        "odd_sizes", 61,
        text=dict(hidden_size=36, intermediate_size=75, num_hidden_layers=3, num_attention_heads=3, max_position_embeddings=20),
        vision=dict(hidden_size=48, intermediate_size=101, num_hidden_layers=2, num_attention_heads=4, image_size=49, patch_size=7),
        top=dict(projection_dim=29), **common)
    transformers_case(
        "gelu_f16", 62,
        text=dict(hidden_size=40, intermediate_size=64, num_hidden_layers=2, num_attention_heads=5, max_position_embeddings=24, hidden_act="gelu"),
        vision=dict(hidden_size=32, intermediate_size=80, num_hidden_layers=3, num_attention_heads=2, image_size=33, patch_size=8, hidden_act="gelu"),
        top=dict(projection_dim=21), store=torch.float16, **common)


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
