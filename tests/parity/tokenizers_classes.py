"""Writes tests/text/golden/classes.txt: what the reference's patterns and mappings do to every code point.

Versions it was run with: tokenizers 0.23.3. A line: kind, pattern or name, and the FNV-1a (32 bits) of: for a pattern, every
code point that it matches, as little-endian u32; for a mapping, the UTF-8 of what it makes of every code point by itself.
Usage: python tokenizers_classes.py
"""

import pathlib

from tokenizers import Regex, normalizers

CODE_POINTS = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
# Not here: Mn, Mc and Alphabetic, in which a few old characters differ (see regex_rewrite.hpp).
PATTERNS = [r"\s", r"\S", r"\d", r"\D", r"\w", r"\W", r"\h", r".", r"\p{Han}", r"\p{Hiragana}", r"\p{Katakana}", r"\p{Hangul}", r"\p{Latin}", r"\p{Cyrillic}", r"\p{Greek}", r"\p{Arabic}",
            r"\p{Thai}", r"\p{Devanagari}", r"\p{Common}", r"\p{C}", r"\p{Cn}", r"\P{L}", r"\p{^N}", r"[^\s\p{L}\p{N}]", r"[^\r\n\p{L}\p{N}]", r"[\p{L}&&[^\p{Han}]]", r"[^\S\W]", r"(?i:[k])", r"(?i:s)"]
PATTERNS += [rf"\p{{{name}}}" for name in "L Lu Ll Lt Lm Lo M Me N Nd Nl No P Pc Pd Ps Pe Pi Pf Po S Sm Sc Sk So Z Zs Zl Zp Cc Cf Co".split()]
MAPPINGS = {"nfc": normalizers.NFC(), "nfd": normalizers.NFD(), "nfkc": normalizers.NFKC(), "nfkd": normalizers.NFKD(), "lower": normalizers.Lowercase()}


def fnv1a(data, value=0x811C9DC5):
    for byte in data:
        value = (value ^ byte) * 0x01000193 & 0xFFFFFFFF
    return value


lines = []
for pattern in PATTERNS:
    replace = normalizers.Replace(Regex(pattern), "")
    value = 0x811C9DC5
    for begin in range(0, len(CODE_POINTS), 4096):
        part = CODE_POINTS[begin:begin + 4096]
        kept = set(replace.normalize_str("".join(map(chr, part))))
        value = fnv1a(b"".join(c.to_bytes(4, "little") for c in part if chr(c) not in kept), value)
    lines.append(f"pattern\t{pattern}\t{value}")
for name, mapping in MAPPINGS.items():
    value = 0x811C9DC5
    for c in CODE_POINTS:
        value = fnv1a(mapping.normalize_str(chr(c)).encode(), value)
    lines.append(f"mapping\t{name}\t{value}")
(pathlib.Path(__file__).resolve().parent.parent / "text" / "golden" / "classes.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")
