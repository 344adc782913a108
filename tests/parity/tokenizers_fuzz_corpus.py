"""Writes fuzz/corpus/tokenizer_json: small tokenizers that hold every step once, for the fuzzer to start from.

Usage: python tokenizers_fuzz_corpus.py
"""

import json
import pathlib

FOLDER = pathlib.Path(__file__).resolve().parent.parent.parent / "fuzz" / "corpus" / "tokenizer_json"
LETTERS = list("abcdefghinoprt") + ["▁", "Ġ", "강", "아", "지"]
VOCABULARY = {token: i for i, token in enumerate(["<unk>", "<s>", "</s>", "[UNK]"] + LETTERS + ["ph", "##o", "a</w>", "do", "dog"] + [f"<0x{b:02X}>" for b in range(0xE0, 0xF8)])}
CHARSMAP = "CAAAAAAAAAAABAAAAGEA"
STEPS = {
    "normalizer": [{"type": name} for name in ("NFC", "NFD", "NFKC", "NFKD", "Lowercase", "StripAccents", "Nmt", "ByteLevel")] + [
        {"type": "Strip", "strip_left": True, "strip_right": False}, {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"},
        {"type": "Replace", "pattern": {"Regex": r"\s+(?!\S)|[^\p{L}\d&&[^a]]"}, "content": ""}, {"type": "Precompiled", "precompiled_charsmap": CHARSMAP},
        {"type": "BertNormalizer", "clean_text": True, "handle_chinese_chars": True, "strip_accents": None, "lowercase": True}],
    "pre_tokenizer": [{"type": name} for name in ("BertPreTokenizer", "Whitespace", "WhitespaceSplit")] + [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True}, {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True},
        {"type": "Punctuation", "behavior": "Isolated"}, {"type": "Digits", "individual_digits": True}, {"type": "CharDelimiterSplit", "delimiter": "-"},
        {"type": "Split", "pattern": {"Regex": r"(?i:'s|'t)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}|\b.\B|\w\h\D"}, "behavior": "MergedWithNext", "invert": True}],
    "post_processor": [{"type": "BertProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1]}, {"type": "RobertaProcessing", "sep": ["</s>", 2], "cls": ["<s>", 1], "trim_offsets": True, "add_prefix_space": True},
                       {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False}, {
                           "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}], "pair": [],
                           "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}]}],
    "decoder": [{"type": "ByteLevel"}, {"type": "WordPiece", "prefix": "##", "cleanup": True}, {"type": "BPEDecoder", "suffix": "</w>"},
                {"type": "Sequence", "decoders": [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always"}, {"type": "Replace", "pattern": {"String": "▁"}, "content": " "},
                                                  {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 1}]}],
}
MODELS = [
    {"type": "BPE", "unk_token": "<unk>", "continuing_subword_prefix": "", "end_of_word_suffix": "", "fuse_unk": True, "byte_fallback": True, "ignore_merges": True, "vocab": VOCABULARY, "merges": ["p h", ["d", "o"], "do g"]},
    {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##", "max_input_chars_per_word": 100, "vocab": VOCABULARY},
    {"type": "WordLevel", "unk_token": "[UNK]", "vocab": VOCABULARY},
    {"type": "Unigram", "unk_id": 0, "byte_fallback": True, "vocab": [[token, -float(i) / 4] for i, token in enumerate(VOCABULARY)]},
]
ADDED = [{"id": 1, "content": "<s>", "single_word": False, "lstrip": False, "rstrip": True, "normalized": False, "special": True},
         {"id": 99, "content": "Mask", "single_word": True, "lstrip": True, "rstrip": False, "normalized": True, "special": False}]

FOLDER.mkdir(parents=True, exist_ok=True)
for i in range(14):
    graph = {"version": "1.0", "truncation": {"direction": "Right", "max_length": 16, "strategy": "LongestFirst", "stride": 0}, "padding": {"strategy": {"Fixed": 16}, "direction": "Left", "pad_id": 1, "pad_type_id": 0, "pad_token": "<s>"},
             "added_tokens": ADDED, **{kind: steps[i % len(steps)] for kind, steps in STEPS.items()}, "model": MODELS[i % len(MODELS)]}
    (FOLDER / f"steps_{i}.json").write_text(json.dumps(graph, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
