"""Writes tests/text/golden: a corpus, tokenizers, and the ids that the reference gives for every line.

Versions it was run with: tokenizers 0.23.3, transformers 5.23.0, sentencepiece 0.2.1, open_clip_torch 3.3.0.
Usage: python tokenizers_goldens.py

corpus.bin      for every text: u32 bytes (little-endian), the bytes
NAME.json       a tokenizer.json (CLIP's is put together by the test, from clip_merges.txt and clip.json)
NAME.ids        for every text: u32 number of ids, u32 FNV-1a of the ids as little-endian u32
NAME.decoded    the same of decode(ids): u32 bytes, u32 FNV-1a
"""

import base64
import gzip
import io
import json
import pathlib
import struct
import sys

import open_clip
import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers
from transformers import CLIPTokenizer

from tokenizers_corpus import SENTENCES, corpus

GOLDEN = pathlib.Path(__file__).resolve().parent.parent / "text" / "golden"
ROOT = GOLDEN.parent.parent.parent
TRAINING = SENTENCES * 3 + [" ".join(SENTENCES[i::7]) for i in range(7)]
SPECIALS = ["<s>", "<pad>", "</s>", "<unk>", "<mask>"]


def fnv1a(data):
    value = 0x811C9DC5
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


def save(name, tokenizer, texts, commit_json=True, finish=lambda text: text):
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if commit_json:
        (GOLDEN / f"{name}.json").write_text(json.dumps(json.loads(tokenizer.to_str()), ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    encoded = [encoding.ids for encoding in tokenizer.encode_batch(texts)]
    (GOLDEN / f"{name}.ids").write_bytes(b"".join(struct.pack("<II", len(ids), fnv1a(struct.pack(f"<{len(ids)}I", *ids))) for ids in encoded))
    decoded = [finish(text).encode() for text in tokenizer.decode_batch(encoded, skip_special_tokens=True)]
    (GOLDEN / f"{name}.decoded").write_bytes(b"".join(struct.pack("<II", len(text), fnv1a(text)) for text in decoded))
    print(f"{name}: {sum(map(len, encoded))} ids, vocabulary {tokenizer.get_vocab_size()}")


def clip(texts):
    source = pathlib.Path(open_clip.__file__).parent / "bpe_simple_vocab_16e6.txt.gz"  # OpenAI CLIP, MIT licence
    merges = gzip.open(source).read().decode().split("\n")[1:49152 - 256 - 2 + 1]
    (GOLDEN / "clip_merges.txt").write_text("#version: 0.2\n" + "\n".join(merges) + "\n", encoding="utf-8")
    own = set(range(33, 127)) | set(range(161, 173)) | set(range(174, 256))
    alphabet = [chr(c) for c in sorted(own)] + [chr(256 + i) for i in range(256 - len(own))]
    tokens = alphabet + [c + "</w>" for c in alphabet] + ["".join(merge.split()) for merge in merges] + ["<|startoftext|>", "<|endoftext|>"]
    tokenizer = CLIPTokenizer(vocab={token: i for i, token in enumerate(tokens)}, merges=[tuple(merge.split()) for merge in merges]).backend_tokenizer
    graph = json.loads(tokenizer.to_str())
    graph["model"]["vocab"] = {}
    graph["model"]["merges"] = []
    graph["truncation"] = graph["padding"] = None
    (GOLDEN / "clip.json").write_text(json.dumps(graph, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")
    # transformers' CLIPTokenizer finishes decode so.
    save("clip", Tokenizer.from_str(tokenizer.to_str()), texts, commit_json=False, finish=lambda text: text.replace("</w>", " ").strip())


def bert(texts, name, lowercase):
    tokenizer = Tokenizer(models.WordPiece(unk_token="[UNK]"))
    tokenizer.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.train_from_iterator(TRAINING, trainers.WordPieceTrainer(vocab_size=2400, special_tokens=["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"], show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS]:0 $A:0 [SEP]:0", pair="[CLS]:0 $A:0 [SEP]:0 $B:1 [SEP]:1", special_tokens=[("[CLS]", 2), ("[SEP]", 3)])
    tokenizer.decoder = decoders.WordPiece(prefix="##")
    save(name, tokenizer, texts)
    return tokenizer


def charsmap():
    """The map nmt_nfkc, from a throw-away SentencePiece model."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(SENTENCES), model_writer=model, vocab_size=1200, hard_vocab_limit=False, minloglevel=2)
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString(model.getvalue())
    return proto.normalizer_spec.precompiled_charsmap


def unigram(texts):
    precompiled = charsmap()
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Precompiled(precompiled), normalizers.Replace(Regex(" {2,}"), " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.WhitespaceSplit(), pre_tokenizers.Metaspace(prepend_scheme="always")])
    tokenizer.train_from_iterator(TRAINING, trainers.UnigramTrainer(vocab_size=2000, special_tokens=SPECIALS, unk_token="<unk>", show_progress=False))
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)])
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="always")
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    save("unigram", tokenizer, texts)
    # The same pieces, with bytes for what is unknown, without the map, and another way to place the mark.
    graph = json.loads(tokenizer.to_str())
    graph["model"]["byte_fallback"] = True
    lowest = min(score for _, score in graph["model"]["vocab"])
    graph["model"]["vocab"] += [[f"<0x{byte:02X}>", lowest] for byte in range(256)]
    graph["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Nmt"}, {"type": "NFKC"}, {"type": "Strip", "strip_left": True, "strip_right": True}]}
    graph["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}
    graph["decoder"] = {"type": "Sequence", "decoders": [{"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": True}, {"type": "ByteFallback"}, {"type": "Fuse"}]}
    save("unigram_bytes", Tokenizer.from_str(json.dumps(graph)), texts)


def roberta(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(vocab_size=2400, special_tokens=SPECIALS[:4], initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    tokenizer.add_special_tokens([AddedToken("<mask>", lstrip=True, special=True)])
    tokenizer.post_processor = processors.RobertaProcessing(("</s>", 2), ("<s>", 0))
    tokenizer.decoder = decoders.ByteLevel()
    save("roberta", tokenizer, texts)
    # Llama 3 and its kin: their own split, whole words first, a template behind ByteLevel.
    graph = json.loads(tokenizer.to_str())
    graph["model"]["ignore_merges"] = True
    split = r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+"
    graph["normalizer"] = {"type": "NFC"}
    graph["pre_tokenizer"] = {"type": "Sequence", "pretokenizers": [{"type": "Split", "pattern": {"Regex": split}, "behavior": "Isolated", "invert": False},
                                                                    {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": False}]}
    graph["post_processor"] = {"type": "Sequence", "processors": [{"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True}, {
        "type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 1}}],
        "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [0], "tokens": ["<s>"]}}}]}
    save("llama3", Tokenizer.from_str(json.dumps(graph)), texts)


def with_bytes(tokenizer, specials):
    """The BPE of `tokenizer` with SentencePiece's byte tokens behind the special ones, as Llama and Gemma have it."""
    graph = json.loads(tokenizer.to_str())
    trained = [token for token in graph["model"]["vocab"] if token not in specials]
    tokens = specials + [f"<0x{byte:02X}>" for byte in range(256)] + trained
    graph["model"].update(vocab={token: i for i, token in enumerate(tokens)}, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    graph["added_tokens"] = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True} for i, token in enumerate(specials)]
    return graph


def sentencepiece_bpe(texts):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    tokenizer.train_from_iterator(TRAINING, trainers.BpeTrainer(vocab_size=2000, show_progress=False))
    llama = with_bytes(tokenizer, ["<unk>", "<s>", "</s>", "<image>"])
    llama["pre_tokenizer"] = None
    llama["post_processor"] = {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    llama["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}, {"type": "Strip", "content": " ", "start": 1, "stop": 0}]}
    save("llama", Tokenizer.from_str(json.dumps(llama)), texts)
    newer = dict(llama, normalizer=None, pre_tokenizer={"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False})
    save("llama_metaspace", Tokenizer.from_str(json.dumps(newer)), texts)
    gemma = with_bytes(tokenizer, ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"])
    gemma["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Lowercase"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]}
    gemma["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    gemma["post_processor"] = {"type": "TemplateProcessing", "single": [{"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<eos>", "type_id": 0}}],
                               "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}], "special_tokens": {"<eos>": {"id": "<eos>", "ids": [1], "tokens": ["<eos>"]}}}
    gemma["decoder"] = {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"}]}
    # A few bytes missing: their characters are unknown, between characters that fall back.
    for token in ("<0xF0>", "<0xCC>"):
        gemma["model"]["vocab"][token.lower()] = gemma["model"]["vocab"].pop(token)
    save("gemma", Tokenizer.from_str(json.dumps(gemma)), texts)


def odds_and_ends(texts):
    """The steps that no family above has."""
    words = Tokenizer(models.WordLevel(unk_token="<unk>"))
    words.normalizer = normalizers.Sequence([normalizers.NFKD(), normalizers.StripAccents(), normalizers.Replace(Regex(r"\bthe\b|[\p{Han}&&[^一]]|(?m)<.>"), "∎"), normalizers.Strip(left=False, right=True)])
    words.pre_tokenizer = pre_tokenizers.Sequence([pre_tokenizers.Whitespace(), pre_tokenizers.Punctuation("merged_with_previous"), pre_tokenizers.Digits(individual_digits=False),
                                                   pre_tokenizers.Split(Regex(r"\w(?=\W)|\d\D|\h+"), "contiguous"), pre_tokenizers.CharDelimiterSplit("-")])
    words.train_from_iterator(TRAINING, trainers.WordLevelTrainer(vocab_size=2000, special_tokens=["<unk>"], show_progress=False))
    words.add_tokens([AddedToken("special_word", single_word=True), AddedToken("The", normalized=True, rstrip=True), AddedToken("the", normalized=False), AddedToken("  ", normalized=False, lstrip=True, rstrip=True)])
    save("words", words, texts)
    pieces = Tokenizer(models.BPE(continuing_subword_prefix="@@", unk_token="<unk>", fuse_unk=True, end_of_word_suffix="</w>"))
    pieces.normalizer = normalizers.Sequence([normalizers.NFD(), normalizers.Lowercase()])
    pieces.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    pieces.train_from_iterator(TRAINING[:160], trainers.BpeTrainer(vocab_size=1500, special_tokens=["<unk>"], continuing_subword_prefix="@@", end_of_word_suffix="</w>", limit_alphabet=200, show_progress=False))
    pieces.decoder = decoders.BPEDecoder()
    save("subwords", pieces, texts)


def main():
    GOLDEN.mkdir(parents=True, exist_ok=True)
    texts = corpus()
    (GOLDEN / "corpus.bin").write_bytes(b"".join(struct.pack("<I", len(text.encode())) + text.encode() for text in texts))
    clip(texts)
    bert(texts, "bert_uncased", True)
    bert(texts, "bert_cased", False)
    unigram(texts)
    roberta(texts)
    sentencepiece_bpe(texts)
    odds_and_ends(texts)
    bundled = ROOT / "models" / "moa-mini" / "tokenizer.json"
    if bundled.exists():
        save("moa_mini", Tokenizer.from_file(str(bundled)), texts, commit_json=False)


if __name__ == "__main__":
    main()
