"""A hard corpus for tokenizers, the same at every run: natural sentences in many scripts, and what breaks tokenizers."""

import random
import unicodedata

SENTENCES = [
    # English, everyday and awkward
    "a photo of a dog.", "Two cats sleeping on a red couch next to a window", "I'm sure they've seen it; we'll ask if you'd come",
    "The quick brown fox jumps over the lazy dog's back 12345 times!", "HELLO WORLD, this is NASA's e-mail: info@example.org",
    "it's 5 o'clock, don't be late... don’t worry — “quoted” text", "state-of-the-art multi-modal embeddings (2021), pp. 34-56",
    "Pneumonoultramicroscopicsilicovolcanoconiosis is a long word", "a  b   c    d\te\nf\r\ng", "cannot won't shan't y'all'd've",
    # Korean
    "풍경과 산이 있는 사진", "강아지가 잔디밭에서 뛰어놀고 있다.", "안녕하세요! 오늘 날씨가 정말 좋네요ㅋㅋㅋㅋ", "한국어 형태소 분석은 어렵습니다, 그렇지 않나요?",
    "서울특별시 강남구 테헤란로 152번길 3층", "뷁뛟쓩 같은 드문 글자도 있다", "ㄱㄴㄷㄹ ㅏㅑㅓㅕ", "나는 학교에 갔다. 그리고 집에 왔다.",
    # Chinese, Japanese
    "一只狗在草地上奔跑", "我喜歡吃蘋果和香蕉，你呢？", "中华人民共和国成立于1949年10月1日。", "𠜎𠜱𠝹𠱓 是罕用字", "東京タワーの夜景はとても綺麗です。",
    "犬が走っている写真、ｶﾀｶﾅと全角ＡＢＣ１２３", "吾輩は猫である。名前はまだ無い。", "㍿①②③㈱℡№ ㌔㍉",
    # Other scripts
    "كلب يركض في الحديقة", "السَّلامُ عَلَيْكُمْ", "מה שלומך היום?", "שָׁלוֹם", "สุนัขวิ่งเล่นในสวน", "ฉันชอบกินข้าวผัดกุ้ง", "कुत्ता पार्क में दौड़ रहा है", "क्षत्रिय ज्ञान श्री",
    "আমি বাংলায় গান গাই", "தமிழ் மொழி மிகவும் பழமையானது", "తెలుగు భాష", "ಕನ್ನಡ ನಾಡು", "മലയാളം ഒരു ഭാഷയാണ്", "ਪੰਜਾਬੀ ਬੋਲੀ", "ગુજરાતી ભાષા", "සිංහල භාෂාව",
    "ភាសាខ្មែរ", "မြန်မာဘာသာ", "ພາສາລາວ", "བོད་སྐད", "ქართული ენა", "Հայերեն լեզու", "አማርኛ ቋንቋ", "Быстрая коричневая лиса", "ΟΔΥΣΣΕΥΣ και Ελληνικά ς",
    "Việt Nam đất nước con người", "İstanbul'da IĞDIR ılık", "Straße, groß, ÆØÅ, œuvre, ﬁancé ﬂag ﬃ", "Ça va? L'été à la plage, où es-tu?", "El niño comió piñata mañana ¿verdad?",
    "Zażółć gęślą jaźń", "Příliš žluťoučký kůň", "Õäöü šž", "ǅ ǈ ǋ ǲ titlecase", "ꙮ ꚙ ⰀⰁⰂ 𐐀𐐁𐐨",
    # Emoji
    "😀😃😄 👍🏽 ❤️ ☺️", "👨‍👩‍👧‍👦 family 👩🏾‍🚀 astronaut", "🇰🇷🇺🇸🇯🇵 flags 🏴󠁧󠁢󠁥󠁮󠁧󠁿", "1️⃣2️⃣#️⃣ keycaps", "🐕‍🦺 service dog 🏳️‍🌈",
    # Symbols, numbers, code
    "E = mc² ≈ 9×10¹⁶ J; ∑∫∂√∞ ≠ ≤ ≥", "½ + ¼ = ¾, ⅓ Ⅳ ⅷ ٣٤٥ १२३ ೧೨", "$1,234.56 €99 £10 ¥500 ₩10,000 50% 3.14e-10", "2026-11-23T20:04:59+09:00 192.168.0.1 ::1",
    "https://example.org/a/b?c=d&e=%20f#g-h_i", "for (int i = 0; i < n; ++i) { sum += a[i] * 0x1F; } // done", "def f(x):\n    return x**2  # comment\n\n\nprint(f'{x!r}')",
    "SELECT * FROM \"users\" WHERE name = 'O''Brien' AND id<>7;", "<div class=\"a\">&amp; &lt;b&gt;&nbsp;</div>", "C:\\Users\\name\\file.txt /usr/local/bin ~/.config",
    "```python\nimport os\n```\n- [x] done\n| a | b |", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", "!!!???...,,,;;;:::", "--------====____****", "a.b.c.d'e'f`g`h^i~j|k\\l",
    # Marks, controls, spaces
    "e\u0301 a\u0308 o\u0302\u0323 n\u0303 \u0301alone", "Z\u0351\u036b\u0343a\u0363\u0346lgo\u035b\u0489", "\u1100\u1161\u11a8 \u1112\u1161\u11ab\u1100\u1173\u11af jamo",
    "zero\u200bwidth\u200cnon\u200djoiner\u2060word\ufeffbom", "soft\u00adhyphen \u061c\u200e\u200f\u202aleft\u202c right", "nbsp\u00a0here\u2003em\u3000ideographic\u1680ogham\u180emongolian",
    "tab\there\vvertical\fform\x1cfs\x1dgs\x1ers\x1fus\x85nel\u2028line\u2029para", "nul\x00in\x01the\x02middle\x7fdel\x80\x9f", "\ufffd replacement \ufffe\uffff\U0010ffff",
    "\U000e0001\U000e0061tags \U000f0000 private \ue000", "\u0600\u06dd\u070f prepend \u0d4e\u0d15", "Å Å ℵ Ω K ſ ẛ̣ ş̌", "ﷺ ﷽ ﴾ﱠ﴿", "〱〲〳〴〵 ゛゜ ヷヸ", "ａｂｃ！？～ ￥￡", "≮≯≠ ∦ ⫝̸", "\u0344 \u0340\u0341 \u0f73\u0f75",
    # What special tokens look like
    "<s>", "</s>", "<unk> <pad> <mask>", "[CLS] hello [SEP] [MASK] [UNK] [PAD]", "<|endoftext|> <|startoftext|>", "a<|endoftext|>b <|STARTOFTEXT|>", "x <mask> y<mask>z  <mask>  ",
    "<0x0A> <0xFF> <0xe2>", "<image>\nWhat is this? USER: hi ASSISTANT: <bos><eos>", "▁already ▁ there▁", "##ing un##able Ġword Ċ", "▁", "Ġ", "##", "<extra_id_0> special_word special_wordy",
]
MOJIBAKE = [sentence.encode("utf-8").decode("latin-1") for sentence in SENTENCES if not sentence.isascii()]
SPECIALS = ["<s>", "</s>", "<unk>", "<pad>", "<mask>", "[CLS]", "[SEP]", "[MASK]", "<|endoftext|>", "<|startoftext|>", "<image>", "▁", "<0x41>", "<extra_id_0>", "special_word"]
ODD = ["\u200b", "\u200d", "\ufe0f", "\u0301", "\u0308", "\u3099", "\u00ad", "\u00a0", "\u3000", "\u2028", "\x00", "\x1f", "\x85", "\ufeff", "\ufffd", "\u0345", "\u1160", "\u11a8", "\t", "\n", "\r\n", "  ", "\u180e", "\U0001f3fd", "\U0001f1f0"]
BLOCKS = [(0x20, 0x7F), (0x80, 0x250), (0x250, 0x600), (0x600, 0x900), (0x900, 0x1100), (0x1100, 0x1200), (0x1200, 0x2000), (0x2000, 0x2C00), (0x2C00, 0x3400), (0x3040, 0x3100),
          (0x4E00, 0xA000), (0xA000, 0xAC00), (0xAC00, 0xD7A4), (0xE000, 0xFB00), (0xFB00, 0x10000), (0x10000, 0x11000), (0x11000, 0x12000), (0x16000, 0x17000),
          (0x1B000, 0x1D000), (0x1D000, 0x1E000), (0x1E000, 0x1F000), (0x1F000, 0x1FB00), (0x20000, 0x32400), (0xE0000, 0xE0200)]


def random_text(rng, length):
    block = rng.choice(BLOCKS)
    characters = []
    for _ in range(length):
        if rng.random() < 0.1:
            block = rng.choice(BLOCKS)
        characters.append(" " if rng.random() < 0.12 else chr(rng.randrange(*block)))
    return "".join(characters)


def disturbed(rng, text):
    """One sentence, changed in one or two ways."""
    for _ in range(rng.randint(1, 2)):
        way = rng.randrange(9)
        if way == 0:
            text = unicodedata.normalize(rng.choice(["NFC", "NFD", "NFKC", "NFKD"]), text)
        elif way == 1:
            text = rng.choice([str.upper, str.lower, str.title, str.swapcase])(text)
        elif way == 2:
            at = rng.randint(0, len(text))
            text = text[:at] + rng.choice(ODD) + text[at:]
        elif way == 3:
            at = rng.randint(0, len(text))
            text = text[:at] + rng.choice(["", " "]) + rng.choice(SPECIALS) + rng.choice(["", " ", "  "]) + text[at:]
        elif way == 4:
            text = text.replace(" ", rng.choice(["", "  ", "\n", "\t", "_", "\u00a0"]))
        elif way == 5:
            text = rng.choice(["", " ", "   ", "\n"]) + text + rng.choice(["", " ", "   ", "\n\n"])
        elif way == 6:
            text = text + rng.choice(["", " "]) + rng.choice(SENTENCES)
        elif way == 7:
            begin = rng.randint(0, max(0, len(text) - 1))
            text = text[begin:begin + rng.randint(1, 30)]
        else:
            text = text.encode("utf-8")[:rng.randint(1, 40)].decode("utf-8", "replace")
    return text


def corpus():
    """6,000 texts and a few very long ones; none holds a lone surrogate."""
    rng = random.Random(20261123)
    texts = ["", " ", "  ", "\n", "a", "가", "\u0301", "\x00", "😀"] + SENTENCES + MOJIBAKE
    # Every character below U+3400, of the rarer planes one in 16, in rows of 64.
    for begin in list(range(0, 0x3400, 64)) + list(range(0xA000, 0xD800, 1024)) + list(range(0xF900, 0x12000, 64)) + list(range(0x16800, 0x20000, 256)):
        row = "".join(chr(c) for c in range(begin, begin + 64))
        texts += [row, " ".join(row)]
    while len(texts) < 4500:
        texts.append(disturbed(rng, rng.choice(SENTENCES)))
    while len(texts) < 6000:
        texts.append(random_text(rng, rng.randint(1, 24)))
    # 10,000 characters and more: words, one endless word, one repeated character, nothing but space.
    texts += [(" ".join(rng.choice(SENTENCES) for _ in range(400)))[:10000], ("강아지와 고양이 " * 1200)[:10000], "a" * 10000, " " * 10000, "ab" * 5000, "\u0301" * 2000, "가" * 4000, "1234567890" * 400, "!?" * 2000,
              "".join(rng.choice("abcdefghijklmnopqrstuvwxyz") for _ in range(10000)), random_text(rng, 4000), "\n" * 3000, "😀" * 2000, "<mask>" * 500]
    return texts
