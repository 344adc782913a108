"""Tokenizers of the BERT family, small enough to commit, saved by the reference's own classes.

Each has a few words whole, others in pieces, and lacks some characters.
"""

from transformers import BertTokenizer, DistilBertTokenizer, MPNetTokenizer, RobertaTokenizer, XLMRobertaTokenizer
from transformers.convert_slow_tokenizer import bytes_to_unicode

LETTERS = [chr(c) for c in range(ord("a"), ord("z") + 1)]
DIGITS = list("0123456789")
WORDS = ["photo", "dog", "quick", "fox", "jump", "one", "two", "three", "teen", "##teen", "caf", "##s"]
MARKS = [".", "!", "—", "日", "本", "狗", "一"]


def word_pieces(specials):
    return [*specials, *WORDS, *LETTERS, *("##" + c for c in LETTERS), *DIGITS, *("##" + c for c in DIGITS), *MARKS]


def finish(tokenizer, folder):
    tokenizer.save_pretrained(folder)
    return tokenizer


def bert(folder, most_tokens, kind=BertTokenizer):
    vocab = {token: i for i, token in enumerate(word_pieces(["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]))}
    return finish(kind(vocab=vocab, model_max_length=most_tokens), folder)


def distilbert(folder, most_tokens):
    return bert(folder, most_tokens, DistilBertTokenizer)


def mpnet(folder, most_tokens):
    vocab = {token: i for i, token in enumerate([*word_pieces(["<s>", "<pad>", "</s>", "<unk>", "[UNK]"]), "<mask>"])}
    return finish(MPNetTokenizer(vocab=vocab, model_max_length=most_tokens), folder)


def roberta(folder, most_tokens):
    merges = [("Ġ", "p"), ("h", "o"), ("Ġp", "ho"), ("t", "o"), ("Ġpho", "to"), ("Ġ", "d"), ("Ġd", "o"), ("Ġdo", "g"), ("e", "n"), ("Ġ", "t"), ("ë", "ı")]
    symbols = ["<s>", "<pad>", "</s>", "<unk>", *bytes_to_unicode().values(), *("".join(m) for m in merges), "<mask>"]
    vocab = {symbol: i for i, symbol in enumerate(symbols)}
    return finish(RobertaTokenizer(vocab=vocab, merges=merges, model_max_length=most_tokens), folder)


def xlm_roberta(folder, most_tokens):
    words = ["▁photo", "▁dog", "▁quick", "▁f", "ox", "▁one", "▁two", "▁three", "teen", "en", "▁강", "아지", "사진", "▁日", "▁cafe"]
    pieces = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -3.0)]
    pieces += [(word, -4.0 - 0.1 * i) for i, word in enumerate(words)]
    pieces += [(c, -6.0 - 0.05 * i) for i, c in enumerate([*LETTERS, *DIGITS, *"가강아지풍경과산이있는사진", ".", "!", "本", "語"]) if c not in words]
    seen, unique = set(), []
    for piece, score in pieces:
        if piece not in seen:
            unique.append((piece, score))
        seen.add(piece)
    return finish(XLMRobertaTokenizer(vocab=[*unique, ("<mask>", 0.0)], model_max_length=most_tokens), folder)
