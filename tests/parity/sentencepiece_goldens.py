"""Writes the goldens of tokenizers without a tokenizer.json, and of pairs of texts, into tests/text/golden.

Versions it was run with: sentencepiece 0.2.0, transformers 5.23.0, tokenizers 0.23.3.
Usage: python sentencepiece_goldens.py     (after tokenizers_goldens.py, whose corpus it uses)

spm_NAME.model  a model; spm_NAME.ids its ids by sentencepiece itself
CLASS.ids       the ids by a class of transformers, made from spm_unigram.model, or from CLASS_vocab.* and CLASS_merges.txt alone;
                of DistilBERT and RoBERTa they are those of bert_uncased and roberta, which this script makes sure of
pairs.json      pairs of texts, and what tokenizers that are there already make of them
"""

import io
import json
import pathlib
import shutil
import struct
import tempfile

import sentencepiece
from tokenizers import Tokenizer
from transformers import DistilBertTokenizer, MPNetTokenizer, RobertaTokenizer, SiglipTokenizer, T5Tokenizer, XLMRobertaTokenizer

from tokenizers_corpus import corpus
from tokenizers_goldens import GOLDEN, TRAINING, fnv1a

OWN = ["<image>", "special_word", "犬", "<extra", "ing the"]
MODELS = {
    "unigram": dict(model_type="unigram", vocab_size=1500, normalization_rule_name="nmt_nfkc", pad_id=0, eos_id=1, unk_id=2, bos_id=-1),
    "suffix": dict(model_type="unigram", vocab_size=1200, normalization_rule_name="identity", treat_whitespace_as_suffix=True, byte_fallback=True, remove_extra_whitespaces=False),
    "bpe": dict(model_type="bpe", vocab_size=1600, normalization_rule_name="identity", byte_fallback=True, add_dummy_prefix=False, remove_extra_whitespaces=False, split_digits=True),
    "bpe_prefix": dict(model_type="bpe", vocab_size=900, normalization_rule_name="identity", control_symbols="<ctrl>"),
}


def train(name, options):
    model = io.BytesIO()
    options = dict(hard_vocab_limit=False, minloglevel=2, character_coverage=0.98, user_defined_symbols=OWN) | options
    sentencepiece.SentencePieceTrainer.train(sentence_iterator=iter(line for text in TRAINING for line in text.split("\n")), model_writer=model, **options)
    if name == "bpe_prefix":  # some pieces that are not to be used, and are taken apart again
        from transformers.convert_slow_tokenizer import import_protobuf
        proto = import_protobuf().ModelProto.FromString(model.getvalue())
        for index in range(100, len(proto.pieces) - 300, 7):
            if proto.pieces[index].type == 1:
                proto.pieces[index].type = 5
        return proto.SerializeToString()
    return model.getvalue()


def digests(texts, ids_of):
    rows = [ids_of(text) for text in texts]
    return b"".join(struct.pack("<II", len(ids), fnv1a(struct.pack(f"<{len(ids)}I", *ids))) for ids in rows)


def save_ids(name, texts, ids_of):
    (GOLDEN / f"{name}.ids").write_bytes(digests(texts, ids_of))


def from_folder(cls, files, **config):
    with tempfile.TemporaryDirectory() as folder:
        for name, source in files.items():
            shutil.copy(source, pathlib.Path(folder) / name)
        (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps(dict(tokenizer_class=cls.__name__, **config)))
        return cls.from_pretrained(folder)


def pairs():
    texts = ["a photo of a dog.", "강아지가 잔디밭에서", "", "The quick brown fox jumps over the lazy dog's back 12345 times!"]
    cases = []
    for name in ("bert_uncased", "roberta", "unigram", "llama3"):
        tokenizer = Tokenizer.from_file(str(GOLDEN / f"{name}.json"))
        for first in texts:
            for second in texts:
                for length in (0, 4, 5, 9, 16):
                    if length:
                        tokenizer.enable_truncation(length)
                    else:
                        tokenizer.no_truncation()
                    try:
                        found = tokenizer.encode(first, second)
                    except BaseException:  # the crate panics where nothing is left
                        continue
                    cases.append(dict(tokenizer=name, first=first, second=second, max_length=length, ids=found.ids, type_ids=found.type_ids))
    (GOLDEN / "pairs.json").write_text(json.dumps({"cases": cases}, ensure_ascii=False, separators=(",", ":")), encoding="utf-8")


def main():
    texts = corpus()
    for name, options in MODELS.items():
        path = GOLDEN / f"spm_{name}.model"
        path.write_bytes(train(name, options))
        processor = sentencepiece.SentencePieceProcessor(model_file=str(path))
        save_ids(f"spm_{name}", texts, processor.encode)
    unigram = GOLDEN / "spm_unigram.model"
    for name, cls, file in (("siglip", SiglipTokenizer, "spiece.model"), ("t5", T5Tokenizer, "spiece.model"), ("xlm_roberta", XLMRobertaTokenizer, "sentencepiece.bpe.model")):
        tokenizer = from_folder(cls, {file: unigram})
        save_ids(name, texts, lambda text: tokenizer(text)["input_ids"])
    graph = json.loads((GOLDEN / "roberta.json").read_text())
    (GOLDEN / "roberta_vocab.json").write_text(json.dumps({token["content"]: token["id"] for token in graph["added_tokens"]} | graph["model"]["vocab"], ensure_ascii=False))
    (GOLDEN / "roberta_merges.txt").write_text("#version: 0.2\n" + "".join(" ".join(merge) + "\n" for merge in graph["model"]["merges"]), encoding="utf-8")
    tokenizer = from_folder(RobertaTokenizer, {"vocab.json": GOLDEN / "roberta_vocab.json", "merges.txt": GOLDEN / "roberta_merges.txt"},
                            mask_token=dict(__type="AddedToken", content="<mask>", single_word=False, lstrip=True, rstrip=False, normalized=False))
    assert digests(texts, lambda text: tokenizer(text)["input_ids"]) == (GOLDEN / "roberta.ids").read_bytes()
    words = json.loads((GOLDEN / "bert_uncased.json").read_text())["model"]["vocab"]
    renamed = {"[PAD]": "<pad>", "[CLS]": "<s>", "[SEP]": "</s>", "[MASK]": "<mask>"}
    vocabulary = sorted(words, key=words.get)
    (GOLDEN / "mpnet_vocab.txt").write_text("".join(renamed.get(word, word) + "\n" for word in vocabulary), encoding="utf-8")
    tokenizer = from_folder(MPNetTokenizer, {"vocab.txt": GOLDEN / "mpnet_vocab.txt"})
    save_ids("mpnet", texts, lambda text: tokenizer(text)["input_ids"])
    (GOLDEN / "distilbert_vocab.txt").write_text("".join(word + "\n" for word in vocabulary), encoding="utf-8")
    tokenizer = from_folder(DistilBertTokenizer, {"vocab.txt": GOLDEN / "distilbert_vocab.txt"})
    assert digests(texts, lambda text: tokenizer(text)["input_ids"]) == (GOLDEN / "bert_uncased.ids").read_bytes()
    pairs()


if __name__ == "__main__":
    main()
