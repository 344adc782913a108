"""Golden checkpoints and vectors for text models, from sentence-transformers.

Versions: torch 2.15.0, transformers 5.23.0, sentence-transformers 6.2.0, tokenizers 0.23.3 (PyPI).
Usage: python tests/parity/text_models.py            (writes tests/golden/sentence_transformers/)

Every text tower, every pooling and every module behind it, tiny and with random weights, as sentence-transformers 6 saves them and, where `older` is
said, as it did before.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import tiny_tokenizers
import torch
from clip import TEXTS, pack, randomise
from safetensors.torch import save_file
from sentence_transformers import SentenceTransformer
from sentence_transformers.base.modules import Dense, Normalize, Transformer
from sentence_transformers.sentence_transformer.modules import LayerNorm, Pooling
from torch.nn.functional import normalize
from transformers import AutoConfig, AutoModel

OUT = Path(__file__).resolve().parent.parent / "golden" / "sentence_transformers"
CONTEXT = 24


def case(name, seed, tower, tokenizer, modules, longest=None, prompts=None, default_prompt=None, older=False):
    folder = OUT / name
    with tempfile.TemporaryDirectory() as plain:
        vocabulary = len(tokenizer(Path(plain), CONTEXT))
        network = AutoModel.from_config(AutoConfig.for_model(vocab_size=vocabulary, **tower))
        randomise(network, seed)
        network.half().save_pretrained(plain)
        transformer = Transformer(plain, **(dict(max_seq_length=longest) if longest else {}))
    model = SentenceTransformer(modules=[transformer, *modules], prompts=prompts, default_prompt_name=default_prompt, device="cpu")
    for i, module in enumerate(modules):
        randomise(module, seed + 1 + i)
        module.half()
    model.half().save(str(folder), create_model_card=False)
    if older:
        as_before(folder)
    model = SentenceTransformer(str(folder), device="cpu").float()  # what the files hold
    raw = model.encode(TEXTS, convert_to_tensor=True, batch_size=3)
    words = prompts.get(default_prompt, "") if prompts else ""
    ids = [model.tokenizer(words + t, truncation=True, max_length=model.max_seq_length)["input_ids"] for t in TEXTS]
    tensors = {"text_vectors": normalize(raw), "raw_text_vectors": raw.contiguous(), "ids": pack(ids),
               "lengths": torch.tensor([len(i) for i in ids], dtype=torch.int32)}
    if prompts and "passage" in prompts:
        tensors["passage_vectors"] = normalize(model.encode(TEXTS, prompt_name="passage", convert_to_tensor=True))
    save_file(tensors, folder / "expected.safetensors")
    (folder / "texts.json").write_text(json.dumps(TEXTS, ensure_ascii=False, indent=1) + "\n")


def as_before(folder):
    """Names of classes and of options as sentence-transformers 2 wrote them, and weights by PyTorch."""
    modules = json.loads((folder / "modules.json").read_text())
    for module in modules:
        module["type"] = "sentence_transformers.models." + module["type"].rsplit(".", 1)[1]
    (folder / "modules.json").write_text(json.dumps(modules, indent=2))
    pooling = json.loads((folder / "1_Pooling/config.json").read_text())
    mode = pooling["pooling_mode"]
    older = {f"pooling_mode_{key}": mode == key.removesuffix("_tokens") or mode == key for key in ("mean_tokens", "max_tokens", "mean_sqrt_len_tokens")}
    older["pooling_mode_cls_token"] = mode == "cls"
    (folder / "1_Pooling/config.json").write_text(json.dumps({"word_embedding_dimension": pooling["embedding_dimension"], **older}))
    longest = json.loads((folder / "tokenizer_config.json").read_text())["model_max_length"]
    (folder / "sentence_bert_config.json").write_text(json.dumps({"max_seq_length": longest, "do_lower_case": False}))


def main():
    shutil.rmtree(OUT, ignore_errors=True)
    bert = dict(model_type="bert", hidden_size=20, num_hidden_layers=2, num_attention_heads=2, intermediate_size=33, max_position_embeddings=CONTEXT)
    mpnet = dict(model_type="mpnet", hidden_size=24, num_hidden_layers=2, num_attention_heads=3, intermediate_size=30, max_position_embeddings=CONTEXT + 2)
    distilbert = dict(model_type="distilbert", dim=20, n_layers=2, n_heads=2, hidden_dim=37, max_position_embeddings=CONTEXT)
    roberta = dict(model_type="roberta", hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=30, max_position_embeddings=CONTEXT + 2,
                   type_vocab_size=1)
    xlm_roberta = dict(roberta, model_type="xlm-roberta", hidden_size=18, num_hidden_layers=2, layer_norm_eps=1e-5)
    identity = torch.nn.Identity()
    case("bert_mean_normalize", 41, bert, tiny_tokenizers.bert, [Pooling(20, "mean"), Normalize()], longest=17)
    case("mpnet_mean", 42, mpnet, tiny_tokenizers.mpnet, [Pooling(24, "mean"), Normalize()], older=True)
    case("mpnet_cls", 43, dict(mpnet, num_hidden_layers=1, hidden_size=18), tiny_tokenizers.mpnet, [Pooling(18, "cls")])
    case("distilbert_mean_dense", 44, distilbert, tiny_tokenizers.distilbert, [Pooling(20, "mean"), Dense(20, 13, bias=False, activation_function=identity)],
         longest=15, older=True)
    case("roberta_max_dense", 45, roberta, tiny_tokenizers.roberta, [Pooling(16, "max"), Dense(16, 21), Dense(21, 9, activation_function=torch.nn.GELU())])
    case("xlm_roberta_prompts", 46, xlm_roberta, tiny_tokenizers.xlm_roberta, [Pooling(18, "mean"), Normalize()],
         prompts={"query": "one: ", "passage": "two: "}, default_prompt="query")
    case("xlm_roberta_weightedmean_norm", 47, xlm_roberta, tiny_tokenizers.xlm_roberta, [Pooling(18, "weightedmean"), LayerNorm(18)])
    case("bert_lasttoken", 48, dict(bert, num_hidden_layers=1), tiny_tokenizers.bert, [Pooling(20, "lasttoken")])
    case("bert_sqrt_len", 49, dict(bert, num_hidden_layers=1), tiny_tokenizers.bert, [Pooling(20, "mean_sqrt_len_tokens")])


if __name__ == "__main__":
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    sys.exit(main())
