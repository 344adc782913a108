"""Tiny tokenizers of SigLIP's two families, with the files that published repositories have.

Versions: tokenizers 0.23.3, sentencepiece 0.2.0, transformers 5.23.0. Imported by siglip.py and open_clip_siglip.py.
"""

import io
import json
import string

import sentencepiece
from tokenizers import Regex, Tokenizer, models, normalizers, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer, SiglipTokenizer

from tokenizers_corpus import SENTENCES

PLAIN = [s for s in SENTENCES if s.isascii()] + ["강아지 풍경과 산이 있는 사진", "naïve café"]


def write_config(folder, **config):
    (folder / "tokenizer_config.json").write_text(json.dumps(config, indent=1) + "\n")


def unigram(folder, context):
    """SigLIP 1: spiece.model, and tokenizer.json that says the same with normalizers. Gives the reference's tokenizer: the former's."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter([s.lower() for s in PLAIN] * 3), model_writer=model, vocab_size=300, hard_vocab_limit=False, minloglevel=2,
        normalization_rule_name="identity", pad_id=0, eos_id=1, unk_id=2, bos_id=-1, pad_piece="<pad>", character_coverage=0.999)
    (folder / "spiece.model").write_bytes(model.getvalue())
    pieces = sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())
    vocabulary = [(pieces.id_to_piece(i), pieces.get_score(i)) for i in range(pieces.get_piece_size())]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=2, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence([
        normalizers.Lowercase(),
        normalizers.Replace(Regex("[" + "".join("\\" + c for c in string.punctuation) + "]"), ""),
        normalizers.Replace(Regex(r"\s+"), " "),
        normalizers.Strip(),
    ])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="always")
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)])
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_config(folder, tokenizer_class="SiglipTokenizer", do_lower_case=True, eos_token="</s>", pad_token="</s>", unk_token="<unk>",
                 model_input_names=["input_ids"], model_max_length=context)
    reference = SiglipTokenizer(str(folder / "spiece.model"), model_max_length=context)
    return len(vocabulary), lambda text: reference(text, truncation=True, padding="max_length", max_length=context)["input_ids"]


def gemma(folder, context, tokenizer_class):
    """SigLIP 2: a BPE with byte fallback. GemmaTokenizer's files leave lower-casing to whoever reads do_lower_case; Siglip2Tokenizer does it."""
    specials = ["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"]
    trained = Tokenizer(models.BPE())
    trained.normalizer = normalizers.Replace(" ", "▁")
    trained.pre_tokenizer = pre_tokenizers.Split("▁", "merged_with_next")
    trained.train_from_iterator([s.lower() for s in PLAIN if s.isascii()], trainers.BpeTrainer(vocab_size=330, show_progress=False))
    graph = json.loads(trained.to_str())
    tokens = specials + [f"<0x{byte:02X}>" for byte in range(256)] + list(graph["model"]["vocab"])
    graph["model"].update(vocab={token: i for i, token in enumerate(tokens)}, byte_fallback=True, fuse_unk=True, unk_token="<unk>")
    graph["added_tokens"] = [{"id": i, "content": token, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
                             for i, token in enumerate(specials)]
    graph["pre_tokenizer"] = {"type": "Split", "pattern": {"String": " "}, "behavior": "MergedWithPrevious", "invert": False}
    tokenizer = Tokenizer.from_str(json.dumps(graph))
    tokenizer.post_processor = processors.TemplateProcessing(single="$A <eos>", pair="$A <eos> $B <eos>", special_tokens=[("<eos>", 1)])
    tokenizer.save(str(folder / "tokenizer.json"), pretty=False)
    write_config(folder, tokenizer_class=tokenizer_class, do_lower_case=True, add_bos_token=False, add_eos_token=True, padding_side="right",
                 pad_token="<pad>", eos_token="<eos>", bos_token="<bos>", unk_token="<unk>", model_input_names=["input_ids"], model_max_length=context)
    reference = AutoTokenizer.from_pretrained(folder)
    lowered = (lambda text: text) if tokenizer_class == "Siglip2Tokenizer" else str.lower
    return len(tokens), lambda text: reference(lowered(text), truncation=True, padding="max_length", max_length=context)["input_ids"]
