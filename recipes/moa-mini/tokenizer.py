"""The tokenizer of multilingual-e5-small (XLM-R's Unigram), pruned to the scripts that moa-mini reads.

A piece stays if all its characters are Latin, Hangul, Han, Kana or belong to no script (digits, punctuation, symbols,
emoji). A removed piece holds a character of another script, so it could never have matched a text of the kept scripts:
such texts are cut exactly as before. Ids are renumbered in the old order; row i of the embedding table is piece i.
"""

from __future__ import annotations

import base64
import io
import json
from pathlib import Path

import numpy as np
import regex

SPECIALS = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
READABLE = regex.compile(
    r"[\p{Latin}\p{Hangul}\p{Han}\p{Hiragana}\p{Katakana}\p{Bopomofo}\p{Common}\p{Inherited}]*")


def kept_rows(pieces: list[str]) -> np.ndarray:
    """Ids of the pieces that stay, in order."""
    return np.array([i for i, piece in enumerate(pieces) if piece in SPECIALS or READABLE.fullmatch(piece)])


def write(pieces: list[str], scores: np.ndarray, max_tokens: int, folder: Path) -> None:
    """tokenizer.json (as HF tokenizers reads it) and tokenizer_config.json."""
    vocabulary = [[piece, round(float(score), 6)] for piece, score in zip(pieces, scores)]
    ids = {piece: i for i, piece in enumerate(pieces)}
    template = [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                {"SpecialToken": {"id": "</s>", "type_id": 0}}]
    tokenizer = {
        "version": "1.0",
        "truncation": {"direction": "Right", "max_length": max_tokens, "strategy": "LongestFirst", "stride": 0},
        "padding": None,
        "added_tokens": [{"id": ids[token], "content": token, "single_word": False, "lstrip": token == "<mask>",
                          "rstrip": False, "normalized": False, "special": True} for token in SPECIALS],
        # NFC first, so that decomposed Hangul (as macOS writes file names) meets the same pieces as composed. The table
        # that XLM-R was trained with turned the zero-width joiner into a space; sentencepiece 0.2 no longer does.
        "normalizer": {"type": "Sequence", "normalizers": [
            {"type": "NFC"}, {"type": "Replace", "pattern": {"String": "\u200d"}, "content": " "},
            {"type": "Precompiled", "precompiled_charsmap": _charsmap()}]},
        "pre_tokenizer": {"type": "Sequence", "pretokenizers": [
            {"type": "WhitespaceSplit"},
            {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True}]},
        "post_processor": {"type": "TemplateProcessing", "single": template,
                           "pair": template + [{"SpecialToken": {"id": "</s>", "type_id": 0}},
                                               {"Sequence": {"id": "B", "type_id": 0}},
                                               {"SpecialToken": {"id": "</s>", "type_id": 0}}],
                           "special_tokens": {token: {"id": token, "ids": [ids[token]], "tokens": [token]}
                                              for token in ("<s>", "</s>")}},
        "decoder": {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": "always", "split": True},
        "model": {"type": "Unigram", "unk_id": ids["<unk>"], "vocab": vocabulary, "byte_fallback": False},
    }
    settings = {"tokenizer_class": "PreTrainedTokenizerFast", "model_max_length": max_tokens, "padding_side": "right",
                "bos_token": "<s>", "eos_token": "</s>", "sep_token": "</s>", "cls_token": "<s>", "unk_token": "<unk>",
                "pad_token": "<pad>", "mask_token": "<mask>", "model_input_names": ["input_ids", "attention_mask"]}
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer, ensure_ascii=False, separators=(",", ":")) + "\n")
    (folder / "tokenizer_config.json").write_text(json.dumps(settings, indent=2) + "\n")


def _charsmap() -> str:
    """SentencePiece's nmt_nfkc table, which XLM-R was trained with, as sentencepiece writes it into any model."""
    import sentencepiece
    from sentencepiece import sentencepiece_model_pb2

    blob = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(["a b c d"] * 4), model_writer=blob, vocab_size=8,
                                             hard_vocab_limit=False, normalization_rule_name="nmt_nfkc",
                                             minloglevel=2)
    model = sentencepiece_model_pb2.ModelProto.FromString(blob.getvalue())
    return base64.b64encode(model.normalizer_spec.precompiled_charsmap).decode()
