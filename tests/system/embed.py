"""moa embed."""
import json
import math
import os
import struct
import unittest

from moa_command import MoaTest, TINY, cosine, png


def read_npy(content):
    """(rows, columns, values) of a float32 matrix."""
    assert content[:8] == b"\x93NUMPY\x01\x00"
    (length,) = struct.unpack("<H", content[8:10])
    assert (10 + length) % 64 == 0
    header = eval(content[10:10 + length].decode())  # a literal of this program's own writing
    assert header["descr"] == "<f4" and not header["fortran_order"]
    rows, columns = header["shape"]
    return rows, columns, struct.unpack(f"<{rows * columns}f", content[10 + length:])


class Embed(MoaTest):
    model = TINY

    def test_items_come_in_order_texts_first(self):
        self.write("texts.txt", "two\r\n\nfour\n")
        self.write("red.png", png(8, 8))
        items = self.lines("embed", "red.png", "--texts-file", "texts.txt", "--text", "one")
        self.assertEqual([item["input"] for item in items], ["one", "two", "", "four", "red.png"])
        self.assertEqual([item["index"] for item in items], [0, 1, 2, 3, 4])
        self.assertEqual([item["type"] for item in items], ["text"] * 4 + ["image"])

    def test_a_dash_as_output_is_stdout(self):
        (item,) = self.lines("embed", "--text", "one", "-o", "-")
        self.assertEqual(item["input"], "one")
        self.assertFalse((self.home / "-").exists())

    def test_a_byte_order_mark_is_no_part_of_the_first_text(self):
        self.write("texts.txt", b"\xef\xbb\xbfone\ntwo\n")
        self.assertEqual([item["input"] for item in self.lines("embed", "--texts-file", "texts.txt")], ["one", "two"])

    def test_vectors_are_on_the_unit_sphere_unless_raw(self):
        (item,) = self.lines("embed", "--text", "강아지")
        self.assertAlmostEqual(cosine(item["embedding"], item["embedding"]), 1, places=5)
        (raw,) = self.lines("embed", "--text", "강아지", "--raw")
        length = math.sqrt(cosine(raw["embedding"], raw["embedding"]))
        self.assertAlmostEqual(cosine(raw["embedding"], item["embedding"]) / length, 1, places=5)

    def test_numbers_read_back_to_the_same_floats(self):
        (item,) = self.lines("embed", "--text", "a dog")
        self.run_moa("embed", "--text", "a dog", "--format", "npy", "-o", "dog.npy")
        _, _, values = read_npy((self.home / "dog.npy").read_bytes())
        self.assertEqual([struct.unpack("<f", struct.pack("<f", x))[0] for x in item["embedding"]], list(values))

    def test_dim_keeps_the_first_dimensions_and_normalises(self):
        (whole,) = self.lines("embed", "--text", "a dog")
        (cut,) = self.lines("embed", "--text", "a dog", "--dim", "16")
        length = math.sqrt(cosine(whole["embedding"][:16], whole["embedding"][:16]))
        for got, expected in zip(cut["embedding"], whole["embedding"][:16], strict=True):
            self.assertAlmostEqual(got, expected / length, places=5)
        self.assertEqual(self.error_code("embed", "--text", "a", "--dim", "100000", code=2), "invalid_argument")

    def test_prompt_is_put_before_each_text(self):
        (by_hand,) = self.lines("embed", "--text", "X: dog", "--prompt", "")
        (by_prompt,) = self.lines("embed", "--text", "dog", "--prompt", "X: ")
        self.assertEqual(by_hand["embedding"], by_prompt["embedding"])

    def test_a_bad_input_is_an_error_in_its_place(self):
        self.write("good.png", png(8, 8))
        self.write("broken.png", png(8, 8)[:40])
        out, err = self.run_moa("embed", "missing.png", "good.png", "broken.png", code=3)
        items = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([item.get("error", {}).get("code") for item in items], ["not_found", None, "corrupt_data"])
        self.assertEqual(err.count("moa: error: "), 2)

    def test_a_failed_row_of_npy_is_nan(self):
        self.write("good.png", png(8, 8))
        self.run_moa("embed", "missing.png", "good.png", "--format", "npy", "-o", "v.npy", code=3)
        rows, columns, values = read_npy((self.home / "v.npy").read_bytes())
        self.assertEqual(rows, 2)
        self.assertTrue(all(math.isnan(x) for x in values[:columns]))
        self.assertFalse(any(math.isnan(x) for x in values[columns:]))

    def test_folders_are_walked_sorted_and_hidden_files_skipped(self):
        for name in ("p/b.png", "p/a.png", "p/sub/c.png", "p/.hidden.png", "p/.d/e.png"):
            self.write(name, png(4, 4))
        self.write("p/notes.txt", "hello")
        self.write("p/broken.jpg", b"\xff\xd8\xff\xe0 and nothing more")
        out, err = self.run_moa("embed", "p", code=3)
        names = [json.loads(line)["input"] for line in out.splitlines()]
        self.assertEqual(names, ["p/a.png", "p/b.png", "p/broken.jpg", "p/sub/c.png"])
        self.assertIn("skipped 1 file", err)

    def test_a_folder_without_files_is_told(self):
        (self.home / "empty").mkdir()
        self.assertEqual(self.run_moa("embed", "empty"), ("", "moa: found no files in 'empty'\n"))

    def test_a_named_text_file_says_how_texts_come(self):
        self.write("notes.txt", "hello")
        self.assertEqual(self.error_code("embed", "notes.txt", code=2), "invalid_argument")

    def test_the_list_on_stdin_is_embedded(self):
        self.write("a.png", png(4, 4))
        self.write("b c.png", png(4, 4))
        for listed in (b"a.png\nb c.png\n", b"a.png\0b c.png\0"):
            items = self.lines("embed", "-", input=listed)
            self.assertEqual([item["input"] for item in items], ["a.png", "b c.png"])

    def test_a_pipe_is_one_item(self):
        self.write("a.png", png(4, 4))
        (from_file,) = self.lines("embed", "a.png")
        (from_pipe,) = self.lines("embed", "/dev/stdin", input=png(4, 4))
        self.assertEqual(from_pipe["embedding"], from_file["embedding"])

    def test_a_pipe_without_end_is_that_items_error(self):
        self.write("a.png", png(4, 4))
        endless, sound = self.lines("embed", "/dev/zero", "a.png", code=3)
        self.assertEqual(endless["error"]["code"], "unsupported")
        self.assertIn("embedding", sound)

    def test_what_is_wrong_with_a_pipe_names_it(self):
        for content in (b"", b"hi\n"):
            out, err = self.run_moa("embed", "/dev/stdin", input=content, code=2 if content else 6)
            self.assertIn("'/dev/stdin'", err)
            self.assertIn("'/dev/stdin'", json.loads(out)["error"]["message"])

    def test_standard_input_is_read_once(self):
        self.write("a.png", png(4, 4))
        for arguments in (["-", "-"], ["--texts-file", "-", "-"], ["--texts-file", "-", "--texts-file", "-"]):
            self.assertEqual(self.error_code("embed", *arguments, input=b"a.png\n", code=2), "invalid_argument")

    def test_a_path_that_is_not_utf8_keeps_its_bytes(self):
        (self.home / os.fsdecode(b"caf\xe9.png")).write_bytes(png(4, 4))
        (item,) = self.lines("embed", b"caf\xe9.png")
        self.assertEqual(item["input"], "caf\ufffd.png")
        self.assertEqual(item["path_base64"], "Y2Fm6S5wbmc=")

    def test_a_text_that_is_not_utf8_is_that_items_error(self):
        self.write("texts.txt", b"good\nb\xffd\n")
        out, err = self.run_moa("embed", "--texts-file", "texts.txt", "--text", "\udcff!", code=3)
        bad, good, also_bad = (json.loads(line) for line in out.splitlines())
        self.assertNotIn("error", good)
        self.assertEqual([item["error"]["code"] for item in (bad, also_bad)], ["corrupt_data"] * 2)
        self.assertIn("'\ufffd!'", err)
        self.assertIn("texts.txt:2: ", err)
        self.assertIn("'b\ufffdd'", err)

    def test_truncation_is_warned_of_once(self):
        long = "dog " * 2000
        _, err = self.run_moa("embed", "--text", "short", "--text", long, "--text", long)
        self.assertEqual(err.count("warning"), 1)
        self.assertIn("2 texts", err)
        self.assertIn("index 1", err)
        self.assertEqual(self.run_moa("embed", "--text", long, "-q")[1], "")
        _, err = self.run_moa("embed", "--text", long)
        self.assertIn("1 text is longer than the model's context and was cut", err)

    def test_words_that_are_no_file_hint_at_texts(self):
        _, err = self.run_moa("embed", "a", "dog", code=4)
        self.assertIn("--text", err)
        self.assertNotIn("--text", self.run_moa("embed", "dog.jpg", code=4)[1])

    def test_a_picture_beyond_the_limit_is_refused(self):
        self.write("big.png", png(1500, 1000))
        self.assertEqual(self.error_code("embed", "big.png", "--max-megapixels", "1", code=7), "limit_exceeded")
        self.run_moa("embed", "big.png", "--max-megapixels", "1.5")

    def test_output_file_appears_whole_or_not_at_all(self):
        target = self.write("out.jsonl", "what was there")
        self.error_code("embed", "--text", "a", "-m", "no/such-model", "-o", "out.jsonl", code=4)
        self.assertEqual(target.read_text(), "what was there")
        self.run_moa("embed", "--text", "a", "-o", "out.jsonl")
        self.assertIn('"embedding"', target.read_text())
        self.assertEqual(sorted(path.name for path in self.home.iterdir() if path.is_file()), ["out.jsonl"])


if __name__ == "__main__":
    unittest.main()
