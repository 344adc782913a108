"""Writes tests/text/golden/dirty.bin and what open_clip makes of its texts and of corpus.bin's before they are tokenized.

Versions it was run with: ftfy 6.3.1, open_clip_torch 3.3.0, Python 3.11.
Usage: python open_clip_texts.py

dirty.bin             texts as tokenizers_goldens.py writes them: mojibake of every kind, HTML, ligatures, widths, quotes, controls
mended.texts          for every text of corpus.bin and dirty.bin: u32 bytes, u32 FNV-1a of ftfy.fix_text(text)
clean_MODE.texts      the same of open_clip's clean functions
open_clip_NAME.ids    u32 number of ids, u32 FNV-1a of the ids of open_clip's HFTokenizer around the tokenizer NAME.json, with a context of 77, without padding
"""

import html
import html.entities
import json
import random
import re
import shutil
import struct
import tempfile
from pathlib import Path

import ftfy
from ftfy.badness import MOJIBAKE_CATEGORIES
from ftfy.chardata import CHARMAP_ENCODINGS
from open_clip.tokenizer import HFTokenizer, get_clean_fn

from tokenizers_corpus import SENTENCES, corpus
from tokenizers_goldens import GOLDEN, fnv1a

WIDTHS = [chr(c) for c in range(0xFF01, 0xFFF0)] + ["\u3000"]
LIGATURES = list("ĲĳŉǱǲǳǄǅǆǇǈǉǊǋǌﬀﬁﬂﬃﬄﬅﬆ")
QUOTES = list("ʼ‘’‚‛“”„‟'\"«»‹›")
CONTROLS = [chr(c) for c in [*range(0x20), *range(0x7F, 0xA1), 0xAD, 0xFEFF, *range(0x2000, 0x2010), *range(0x2028, 0x2030), *range(0x206A, 0x2070), *range(0xFFF9, 0x10000)]]
ESCAPES = ["\x1b[0m", "\x1b[36;44m", "\x1b[;;K", "\x1b[31", "\x1b[٣m", "\x1b]0;t\x07", "\x1b"]


def mojibake(rng, text, encoding):
    """`text` in UTF-8, read as `encoding`, or "" where that cannot be."""
    data = text.encode("utf-8")
    kind = rng.random()
    if kind < 0.15:
        data = data.replace(b"\xa0", b" ")
    elif kind < 0.25:  # surrogates and nulls as Java writes them
        utf16 = text.encode("utf-16-be")
        data = b"".join(chr(unit).encode("utf-8", "surrogatepass") if unit else b"\xc0\x80" for (unit,) in struct.iter_unpack(">H", utf16))
    try:
        if kind > 0.8:  # bytes that the encoding lacks are lost
            return data.decode(encoding.replace("sloppy-", ""), "replace")
        return data.decode(encoding)
    except UnicodeDecodeError:
        return ""


def soup(rng, alphabet, length):
    return "".join(rng.choice(alphabet) for _ in range(length))


def categories():
    """The characters that ftfy's heuristic knows, and plain ones."""
    known = {c for c in map(chr, range(0x80, 0x10000)) if any(re.match(f"[{members}]", c) for members in MOJIBAKE_CATEGORIES.values())}
    return sorted(known) + list("aezAEZ019 ?!.,'\n\t€™œ")


def reference(rng):
    number = rng.choice([rng.randrange(0x100), rng.randrange(0x2100), rng.randrange(0x120000), 0xD800 + rng.randrange(0x800), rng.choice([38, 59, 60, 35])])
    name = rng.choice(list(html.entities.html5))
    forms = [f"&#{number};", f"&#x{number:x};", f"&#X{number:X}", f"&#{number}", f"&{name}", f"&{name.rstrip(';').upper()};", f"&{name.rstrip(';')}", f"&{name[:-1]}x;", "&", "&amp;", "&amp;amp;", "&#;", "&#x;"]
    return rng.choice(forms)


def dirty(count=7000, seed=20):
    rng = random.Random(seed)
    known = categories()
    bad = [c for c in known if c not in "aezAEZ019 ?!.,'\n\t"]
    texts = []
    names = sorted(html.entities.html5)
    for at in range(0, len(names), 12):
        texts.append(" ".join("&" + name for name in names[at:at + 12]))
        texts.append(" ".join("&" + name.upper() for name in names[at:at + 12]))
    for encoding in CHARMAP_ENCODINGS:
        for sentence in SENTENCES:
            text = mojibake(rng, sentence, encoding)
            if text and not text.isascii():
                texts.append(text)
    makers = [
        lambda s: mojibake(rng, s, rng.choice(CHARMAP_ENCODINGS)),
        lambda s: mojibake(rng, mojibake(rng, s, rng.choice(CHARMAP_ENCODINGS[:2])), rng.choice(CHARMAP_ENCODINGS[:3])),
        lambda s: s[:rng.randrange(len(s) + 1)] + mojibake(rng, rng.choice(SENTENCES)[:12], rng.choice(CHARMAP_ENCODINGS)) + s[-8:],
        lambda s: mojibake(rng, s, rng.choice(CHARMAP_ENCODINGS))[rng.randrange(6):rng.randrange(8, 40)],
        lambda s: soup(rng, known, rng.randrange(1, 24)),
        lambda s: soup(rng, bad, rng.randrange(2, 7)),
        lambda s: "".join(rng.choice(SENTENCES)[:3] + soup(rng, bad, 2) for _ in range(rng.randrange(1, 6))),
        lambda s: html.escape(s),
        lambda s: html.escape(html.escape(s)),
        lambda s: "".join(rng.choice([reference(rng), rng.choice(s), " ", ""]) for _ in range(rng.randrange(1, 14))),
        lambda s: s + "<b>" + reference(rng) + "\n" + reference(rng),
        lambda s: "".join(c if rng.random() > 0.2 else rng.choice(rng.choice([WIDTHS, LIGATURES, QUOTES, CONTROLS, ESCAPES])) for c in s),
        lambda s: soup(rng, WIDTHS + LIGATURES + QUOTES + ["e\u0301", "a"], rng.randrange(1, 30)),
        lambda s: "Ã la mode, Ã quele, Ã s " + mojibake(rng, "à la “plage” às àquele", "sloppy-windows-1252").replace("\xa0", rng.choice([" ", "\xa0"])),
    ]
    while len(texts) < count:
        text = rng.choice(makers)(rng.choice(SENTENCES))
        if text:
            texts.append(text.encode("utf-8", "replace").decode())
    return texts


def write_digests(name, results):
    (GOLDEN / name).write_bytes(b"".join(struct.pack("<II", len(data) // unit, fnv1a(data)) for data, unit in results))


def write_ids(name, rows):
    write_digests(name, [(struct.pack(f"<{len(row)}I", *row), 4) for row in rows])


def around(name, pad_token, texts):
    """The ids of open_clip's text towers of transformers."""
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(GOLDEN / f"{name}.json", Path(folder) / "tokenizer.json")
        config = {"tokenizer_class": "PreTrainedTokenizerFast", "pad_token": pad_token, "model_max_length": 77}
        (Path(folder) / "tokenizer_config.json").write_text(json.dumps(config))
        tokenizer = HFTokenizer(folder, context_length=77)
        padding = tokenizer.tokenizer.pad_token_id
        rows = [row[:max(i for i, id in enumerate(row) if id != padding) + 1] for row in tokenizer(texts).tolist()]
    write_ids(f"open_clip_{name}.ids", rows)


def main():
    added = dirty()
    (GOLDEN / "dirty.bin").write_bytes(b"".join(struct.pack("<I", len(data)) + data for data in map(str.encode, added)))
    texts = corpus() + added
    write_digests("mended.texts", [(ftfy.fix_text(text).encode(), 1) for text in texts])
    for mode in ("whitespace", "lower", "canonicalize"):
        write_digests(f"clean_{mode}.texts", [(get_clean_fn(mode)(text).encode(), 1) for text in texts])
    for name, pad_token in (("roberta", "<pad>"), ("unigram", "<pad>"), ("bert_uncased", "[PAD]")):
        around(name, pad_token, texts)
    changed = sum(ftfy.fix_text(text) != text for text in texts)
    print(f"{len(texts)} texts, of which ftfy changes {changed}")


if __name__ == "__main__":
    main()
