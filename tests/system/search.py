"""moa search, moa index, and what moa inspect says of indexes."""
import base64
import json
import os
import pty
import shutil
import sqlite3
import unittest

from moa_command import BLIP, MODEL, MoaTest, ROOT, TINY, png


class Search(MoaTest):
    def test_both_demo_queries_find_what_they_say(self):
        photos = self.photos()
        hits = self.lines("search", photos, "a dog", "풍경과 산이 있는 사진", "--format", "jsonl", "-k", "3")
        self.assertEqual([hit["rank"] for hit in hits], [1, 2, 3, 1, 2, 3])
        self.assertTrue(any("dog" in hit["path"] for hit in hits[:3]), hits)
        self.assertTrue(any("mountain" in hit["path"] or "alpine" in hit["path"] for hit in hits[3:]), hits)
        self.assertEqual(hits[0]["query"], "a dog")
        self.assertGreaterEqual(hits[0]["score"], hits[1]["score"])

    def test_paths_are_place_joined_with_what_is_inside(self):
        self.photos("owl.jpg", "horses.jpg")
        out, _ = self.run_moa("search", "photos", "an owl", "--format", "paths", "-k", "1")
        self.assertEqual(out, "photos/owl.jpg\n")
        out, _ = self.run_moa("search", "photos/", "an owl", "-0", "-k", "1")
        self.assertEqual(out, "photos/owl.jpg\0")

    def test_the_folder_stays_as_it_was(self):
        photos = self.photos("owl.jpg")
        self.run_moa("search", photos, "an owl")
        self.assertEqual([path.name for path in photos.iterdir()], ["owl.jpg"])
        self.assertTrue(any((self.home / ".local/share/moa").rglob("*")))

    def test_new_changed_and_deleted_files_are_noticed(self):
        photos = self.photos("owl.jpg", "horses.jpg")
        self.run_moa("search", photos, "an owl")
        (photos / "horses.jpg").unlink()
        shutil.copy(photos / "owl.jpg", photos / "twin.jpg")
        hits = self.lines("search", photos, "an owl", "--format", "jsonl")
        self.assertEqual([hit["path"] for hit in hits], [f"{photos}/owl.jpg", f"{photos}/twin.jpg"])
        self.assertEqual(hits[0]["score"], hits[1]["score"])

    def test_no_update_takes_the_index_as_it_is(self):
        photos = self.photos("owl.jpg")
        self.assertEqual(self.error_code("search", photos, "an owl", "--no-update", code=4), "not_found")
        self.run_moa("search", photos, "an owl")
        shutil.copy(photos / "owl.jpg", photos / "twin.jpg")
        self.assertEqual(len(self.lines("search", photos, "an owl", "--no-update", "--format", "jsonl")), 1)

    def test_a_picture_is_a_query_and_similar_leaves_it_out(self):
        photos = self.photos("owl.jpg", "horses.jpg")
        for query in (["photos/owl.jpg"], ["--image", "photos/owl.jpg"]):
            hits = self.lines("search", photos, *query, "--format", "jsonl")
            self.assertEqual(hits[0]["path"], f"{photos}/owl.jpg")
            self.assertAlmostEqual(hits[0]["score"], 1, places=5)
        (hit,) = self.lines("search", photos, "--similar", "photos/owl.jpg", "--format", "jsonl")
        self.assertEqual(hit["path"], f"{photos}/horses.jpg")

    def test_a_text_option_is_never_a_picture(self):
        photos = self.photos("owl.jpg")
        hits = self.lines("search", photos, "--text", "photos/owl.jpg", "--format", "jsonl")
        self.assertLess(hits[0]["score"], 0.9)

    def test_sums_add_and_subtract(self):
        photos = self.photos("owl.jpg", "horses.jpg", "cow-on-pasture.jpg")
        def score(*query):
            hits = self.lines("search", photos, *query, "--format", "jsonl")
            return {hit["path"].rpartition("/")[2]: hit["score"] for hit in hits}
        plain = score("a horse")
        self.assertEqual(score("a horse", "+", "a horse").keys(), plain.keys())
        self.assertAlmostEqual(score("a horse", "+", "3:a horse")["owl.jpg"], plain["owl.jpg"], places=5)
        self.assertLess(score("an animal", "-", "an owl")["owl.jpg"], score("an animal")["owl.jpg"])
        self.assertGreater(score("a horse", "+", "4:an owl")["owl.jpg"], score("a horse", "+", "an owl")["owl.jpg"])

    def test_a_sum_with_a_hole_is_wrong_use(self):
        photos = self.photos("owl.jpg")
        for query in (["+", "a"], ["a", "-"], ["a", "+", "-", "b"]):
            self.assertEqual(self.error_code("search", photos, *query, code=2), "invalid_argument")
        self.assertEqual(self.error_code("search", photos, "a", "-", "a", code=2), "invalid_argument")

    def test_min_score_and_exclude_narrow_the_results(self):
        photos = self.photos("owl.jpg", "horses.jpg")
        hits = self.lines("search", photos, "an owl", "--exclude", "*hors*", "--format", "jsonl")
        self.assertEqual([hit["path"] for hit in hits], [f"{photos}/owl.jpg"])
        self.assertEqual(self.lines("search", photos, "an owl", "--min-score", "0.99", "--format", "jsonl"), [])

    def test_the_table_names_query_rank_and_score(self):
        photos = self.photos("owl.jpg")
        out, _ = self.run_moa("search", photos, "부엉이")
        heading, row = out.splitlines()
        self.assertEqual(heading, "부엉이")
        self.assertRegex(row, r"^ +1 +-?[0-9.]+  .*owl\.jpg$")

    def test_broken_pictures_are_kept_with_their_error(self):
        photos = self.photos("owl.jpg")
        (photos / "broken.jpg").write_bytes(b"\xff\xd8\xff\xe0 and nothing more")
        _, err = self.run_moa("search", "photos", "an owl", "--index", "own.moa")
        self.assertIn("1 file could not be read", err)
        out, _ = self.run_moa("inspect", "own.moa", "--errors")
        self.assertIn("broken.jpg: corrupt_data", out)
        (error,) = self.lines("inspect", "own.moa", "--errors", "--format", "json")
        self.assertEqual(error["error"]["code"], "corrupt_data")


class Queries(MoaTest):
    model = TINY

    def test_a_query_that_fails_has_its_error_in_its_place(self):
        photos = self.photos("owl.jpg")
        out, err = self.run_moa("search", photos, "a", "--image", "nothere.jpg", "b", "-k", "1", "--format", "jsonl", code=3)
        lines = [json.loads(line) for line in out.splitlines()]
        self.assertEqual([line["query"] for line in lines], ["a", "nothere.jpg", "b"])
        self.assertEqual(lines[1]["error"]["code"], "not_found")
        self.assertEqual(err.count("moa: error: not_found: "), 1)
        self.run_moa("search", photos, "--image", "nothere.jpg", "--format", "jsonl", code=4)

    def test_exclude_looks_at_the_name_and_at_the_path_inside_the_place(self):
        self.photos("owl.jpg")
        self.write("photos/more/red.png", png(8, 8))
        for glob, left in {"photos/*": ["photos/more/red.png", "photos/owl.jpg"], "more/*": ["photos/owl.jpg"], "owl.*": ["photos/more/red.png"]}.items():
            out, _ = self.run_moa("search", "photos", "a", "--exclude", glob, "--format", "paths")
            self.assertEqual(sorted(out.split()), left)

    def test_a_file_that_is_no_index_is_no_place(self):
        self.photos("owl.jpg")
        _, err = self.run_moa("search", "photos/owl.jpg", "an owl", code=2)
        self.assertIn("moa: error: invalid_argument: cannot search 'photos/owl.jpg'", err)
        self.assertIn("--similar", err)
        self.write("notes.txt", "words")
        self.assertEqual(self.error_code("search", "notes.txt", "an owl", code=5), "corrupt_data")
        self.assertEqual(self.error_code("search", "notes.txt", "an owl", "--reindex", code=5), "corrupt_data")
        self.assertEqual((self.home / "notes.txt").read_text(), "words")

    def test_outputs_and_the_index_are_files_of_their_own(self):
        self.photos("owl.jpg")
        self.run_moa("index", "photos", "-o", "i.moa")
        before = (self.home / "i.moa").read_bytes()
        for outputs in (["i.moa", "an owl", "-o", "i.moa"], ["i.moa", "an owl", "--html", "./i.moa.vectors"], ["photos", "an owl", "--index", "s.png", "--sheet", "s.png"],
                        ["photos", "an owl", "-o", "one", "--html", "one"]):
            self.assertEqual(self.error_code("search", *outputs, code=2), "invalid_argument")
        self.assertEqual((self.home / "i.moa").read_bytes(), before)

    def test_a_query_that_is_cut_is_warned_of(self):
        self.photos("owl.jpg")
        _, err = self.run_moa("search", "photos", "an owl " * 500)
        self.assertIn("moa: warning: 1 text is longer than the model's context and was cut", err)

    def test_a_named_file_that_fails_is_an_error_of_the_index(self):
        self.write("broken.png", png(4, 4)[:40])
        self.photos("owl.jpg")
        self.assertEqual(self.error_code("index", "broken.png", "photos", "-o", "i.moa", "-q", code=3), "corrupt_data")

    def test_what_a_model_lacks_is_told_before_anything_is_indexed(self):
        shutil.copytree(ROOT / "tests/golden/clip/odd_sizes", self.home / "model")
        (self.home / "model/tokenizer.json").unlink()
        self.photos("owl.jpg")
        self.assertEqual(self.error_code("search", "photos", "an owl", "-m", "model", "--index", "i.moa", code=4), "not_found")
        self.assertFalse((self.home / "i.moa").exists())

    def test_what_had_too_many_pixels_is_tried_again_under_another_limit(self):
        self.write("p/red.png", png(500, 400))
        count = lambda *options: len(self.lines("search", "p", "a", "--format", "jsonl", *options))
        self.assertEqual(count("--max-megapixels", "0.1"), 0)
        self.assertEqual(count(), 1)
        self.write("p/wide.png", png(600, 400))
        _, err = self.run_moa("search", "p", "a", "--max-megapixels", "0.21")
        self.assertIn("1 file could not be read", err)
        self.assertEqual(count("--max-megapixels", "0.22"), 1)
        self.assertEqual(count("--max-megapixels", "0.25"), 2)


class Pages(MoaTest):
    model = TINY

    def test_html_holds_its_pictures_and_escapes_names(self):
        photos = self.photos("owl.jpg")
        (photos / "owl.jpg").rename(photos / "<b>&\".jpg")
        self.run_moa("search", photos, "<script>alert(1)</script>", "--html", "found.html")
        page = (self.home / "found.html").read_text()
        self.assertIn("data:image/jpeg;base64,", page)
        self.assertNotIn("<script", page)
        self.assertNotIn("<b>", page)
        self.assertIn("&lt;b&gt;&amp;&quot;.jpg", page)

    def test_sheet_is_a_png_with_a_row_a_query(self):
        photos = self.photos("owl.jpg", "horses.jpg")
        self.run_moa("search", photos, "부엉이", "--sheet", "one.png")
        self.run_moa("search", photos, "부엉이", "a horse", "--sheet", "two.png")
        sizes = []
        for name in ("one.png", "two.png"):
            header = (self.home / name).read_bytes()[:24]
            self.assertEqual(header[:8], b"\x89PNG\r\n\x1a\n")
            sizes.append((int.from_bytes(header[16:20], "big"), int.from_bytes(header[20:24], "big")))
        self.assertEqual(sizes[0][0], sizes[1][0])
        self.assertLess(sizes[0][1], sizes[1][1])

    def test_a_picture_that_is_gone_does_not_spoil_the_sheet(self):
        photos = self.photos("owl.jpg")
        self.run_moa("search", photos, "an owl")
        (photos / "owl.jpg").unlink()
        self.run_moa("search", photos, "an owl", "--no-update", "--sheet", "s.png", "--html", "s.html")
        page = (self.home / "s.html").read_text()
        self.assertIn("<span>no longer there</span>", page)
        self.assertNotIn("not_found", page)

    def test_a_query_without_results_says_so(self):
        photos = self.photos("owl.jpg")
        self.run_moa("search", photos, "an owl", "--min-score", "1.1", "--html", "s.html", "--sheet", "nothing.png")
        self.assertIn("<p>nothing found</p>", (self.home / "s.html").read_text())
        self.run_moa("search", photos, "--image", "no.jpg", "--html", "s.html", "--sheet", "no.png", code=4)
        self.assertRegex((self.home / "s.html").read_text(), "<h2>no.jpg</h2>\n<p>.*no.jpg.*</p>")

    def test_a_sheet_is_called_as_what_it_is(self):
        photos = self.photos("owl.jpg")
        for name in ("x.jpg", "x", ".png"):
            self.assertEqual(self.error_code("search", photos, "an owl", "--sheet", name, code=2), "invalid_argument")
        self.assertFalse((self.home / "x.jpg").exists())
        self.run_moa("search", photos, "an owl", "--sheet", "X.PNG")


class Index(MoaTest):
    model = TINY

    def other_model(self):
        """A model of another identity."""
        other = self.home / "other-model"
        shutil.copytree(self.environment["MOA_MODEL"], other)
        config = json.loads((other / "config.json").read_text())
        (other / "config.json").write_text(json.dumps(config, indent=7))
        return other

    def test_an_index_over_several_places_is_searched(self):
        self.photos("owl.jpg")
        self.write("more/red.png", png(16, 16))
        _, err = self.run_moa("index", "photos", "more", "-o", "all.moa")
        self.assertIn("2 items", err)
        out, _ = self.run_moa("search", "all.moa", "an owl", "--format", "paths")
        self.assertEqual(sorted(out.split()), ["more/red.png", "photos/owl.jpg"])

    def test_failed_inputs_make_three_and_nothing_but_failures_their_own_code(self):
        self.write("p/broken.jpg", b"\xff\xd8\xff\xe0 and nothing more")
        self.run_moa("index", "p", "-o", "i.moa", code=5)
        self.write("p/red.png", png(8, 8))
        self.run_moa("index", "p", "-o", "i.moa", code=3)

    def test_another_models_index_is_a_mismatch_until_made_anew(self):
        self.photos("owl.jpg")
        self.run_moa("index", "photos", "-o", "i.moa")
        other = self.other_model()
        self.assertEqual(self.error_code("search", "i.moa", "an owl", "-m", other, code=5), "model_mismatch")
        self.assertEqual(self.error_code("index", "photos", "-o", "i.moa", "-m", other, code=5), "model_mismatch")
        self.run_moa("index", "photos", "-o", "i.moa", "-m", other, "--reindex")
        self.run_moa("search", "i.moa", "an owl", "-m", other)

    def test_an_index_is_made_anew_from_its_own_places(self):
        self.photos("owl.jpg")
        self.write("more/red.png", png(16, 16))
        self.run_moa("index", "photos", "more", "-o", "i.moa")
        other = self.other_model()
        out, err = self.run_moa("search", "i.moa", "an owl", "-m", other, "--reindex", "--format", "paths")
        self.assertEqual(sorted(out.split()), ["more/red.png", "photos/owl.jpg"])
        self.assertIn("2 items", err)
        self.run_moa("search", "i.moa", "an owl", "-m", other)
        (self.home / "more").rename(self.home / "unplugged")
        self.assertEqual(self.error_code("search", "i.moa", "an owl", "--reindex", code=4), "not_found")
        self.run_moa("search", "i.moa", "an owl", "-m", other)

    def test_an_index_is_not_given_to_another_folder_unasked(self):
        self.photos("owl.jpg")
        self.write("more/red.png", png(16, 16))
        self.run_moa("index", "photos", "-o", "i.moa")
        for options in ([], ["--no-update"]):
            self.assertEqual(self.error_code("search", "more", "red", "--index", "i.moa", *options, code=2), "invalid_argument")
        self.assertEqual(self.lines("inspect", "i.moa", "--format", "json")[0]["places"], ["photos"])
        self.run_moa("search", "more", "red", "--index", "i.moa", "--reindex")
        self.assertEqual(self.lines("inspect", "i.moa", "--format", "json")[0]["places"], ["more"])

    def test_a_folder_is_searched_with_an_index_that_holds_others_too(self):
        self.photos("owl.jpg")
        self.write("more/red.png", png(16, 16))
        self.run_moa("index", "photos", "more", "-o", "i.moa")
        self.write("more/blue.png", png(16, 16, (0, 0, 200)))
        out, _ = self.run_moa("search", "./more", "red", "--index", "i.moa", "--format", "paths")
        self.assertEqual(sorted(out.split()), ["./more/blue.png", "./more/red.png"])
        self.assertEqual(self.lines("inspect", "i.moa", "--format", "json")[0]["items"], 3)

    def test_a_place_that_is_not_there_fails_alone_and_keeps_what_the_index_held(self):
        self.photos("owl.jpg")
        out, err = self.run_moa("index", "photos", "nothere", "-o", "i.moa", code=3)
        self.assertIn("moa: error: not_found: cannot index 'nothere'", err)
        self.assertIn("1 item: ", err)
        self.write("more/red.png", png(16, 16))
        self.run_moa("index", "photos", "more", "-o", "i.moa")
        (self.home / "more").rename(self.home / "unplugged")
        _, err = self.run_moa("index", "photos", "more", "-o", "i.moa", code=3)
        self.assertIn("2 items: 0 new or changed, 2 unchanged", err)
        self.assertEqual(self.error_code("index", "nothere", "neither", "-o", "i.moa", code=4), "not_found")
        self.assertEqual(self.lines("inspect", "i.moa", "--format", "json")[0]["items"], 2)

    def test_only_what_the_index_held_counts_as_removed(self):
        photos = self.photos("owl.jpg")
        self.write("photos/notes.txt", "words")
        self.run_moa("index", "photos", "-o", "i.moa")
        (photos / "notes.txt").unlink()
        _, err = self.run_moa("index", "photos", "-o", "i.moa")
        self.assertNotIn("removed", err)

    @unittest.skipUnless(os.geteuid() == 0, "who is not root cannot become another user")
    def test_a_folder_that_cannot_be_read_is_warned_of(self):
        self.photos("owl.jpg")
        self.write("photos/closed/red.png", png(16, 16))
        (self.home / "photos/closed").chmod(0)
        self.home.chmod(0o777)
        for command in (["embed", "photos"], ["index", "photos", "-o", "i.moa"], ["search", "photos", "an owl"]):
            _, err = self.run_moa(*command, user=65534, group=65534, extra_groups=[])
            self.assertIn("moa: warning: cannot read the folder 'photos/closed': Permission denied", err)

    def test_places_that_are_not_utf8_keep_their_bytes(self):
        os.mkdir(os.fsencode(self.home) + b"/d\xff")
        self.run_moa("index", b"d\xff", "-o", "i.moa")
        (facts,) = self.lines("inspect", "i.moa", "--format", "json")
        self.assertEqual(facts["places"], ["d\ufffd"])
        self.assertEqual([base64.b64decode(place) for place in facts["places_base64"]], [b"d\xff"])

    def test_what_the_machine_had_no_memory_for_is_tried_again(self):
        self.photos("owl.jpg")
        self.write("photos/broken.jpg", b"\xff\xd8\xff\xe0 broken")
        self.run_moa("index", "photos", "-o", "i.moa", code=3)
        database = sqlite3.connect(self.home / "i.moa")
        database.execute("update items set row = null, error_code = 'limit_exceeded', error_message = 'no memory'")
        database.commit()
        database.close()
        _, err = self.run_moa("index", "photos", "-o", "i.moa", code=3)
        self.assertIn("1 new or changed", err)
        errors, _ = self.run_moa("inspect", "i.moa", "--errors")
        self.assertIn("corrupt_data", errors)
        self.assertNotIn("limit_exceeded", errors)

    def test_an_index_of_the_same_model_otherwise_says_what_may_differ(self):
        self.photos("owl.jpg")
        self.run_moa("index", "photos", "-o", "i.moa")
        _, err = self.run_moa("search", "i.moa", "an owl", "--fast-decode", code=5)
        self.assertIn("--fast-decode", err)

    def test_a_query_that_is_not_utf8_keeps_its_bytes(self):
        self.photos("owl.jpg", "horses.jpg")
        query = os.fsencode(self.home) + b"/caf\xe9.jpg"
        shutil.copy(self.home / "photos/owl.jpg", query)
        hits = self.lines("search", "photos", b"caf\xe9.jpg", "--format", "jsonl")
        self.assertEqual({(hit["query"], hit["query_base64"]) for hit in hits}, {("caf\ufffd.jpg", "Y2Fm6S5qcGc=")})
        self.assertEqual(hits[0]["path"], "photos/owl.jpg")
        self.assertNotIn("query_base64", self.lines("search", "photos", "an owl", "--format", "jsonl")[0])

    def test_inspect_checks_the_two_files_against_each_other(self):
        self.photos("owl.jpg", "horses.jpg")
        self.run_moa("index", "photos", "-o", "i.moa")
        (facts,) = self.lines("inspect", "i.moa", "--format", "json")
        self.assertNotIn("path_base64", facts)
        self.assertEqual((facts["items"], facts["failed"], facts["problems"], facts["dtype"]), (2, 0, [], "f32"))
        self.run_moa("index", "photos", "-o", "narrow.moa", "--dtype", "int8")
        self.assertEqual(self.lines("inspect", "narrow.moa", "--format", "json")[0]["dtype"], "int8")
        os.truncate(self.home / "i.moa.vectors", 4096)
        out, _ = self.run_moa("inspect", "i.moa", "--format", "json", code=5)
        self.assertTrue(json.loads(out)["problems"])

    def test_what_is_no_index_is_corrupt(self):
        self.write("i.moa", b"SQLite format 3\0" + b"nonsense" * 1000)
        self.run_moa("search", "i.moa", "a", code=5)
        database = sqlite3.connect(self.home / "foreign.sqlite")
        database.execute("create table t (x)")
        database.commit()
        database.close()
        self.run_moa("search", "foreign.sqlite", "a", code=5)


class Rerank(MoaTest):
    model = BLIP

    def setUp(self):
        super().setUp()
        for index in range(3):
            self.write(f"photos/{index}.png", (BLIP / f"picture{index}.png").read_bytes())

    def test_the_best_come_in_the_order_of_the_models_head(self):
        found = self.lines("search", "photos", "a photo of a dog.", "--rerank", "3", "--format", "jsonl", "-k", "2")
        self.assertEqual([item["path"] for item in found], ["photos/2.png", "photos/0.png"])
        self.assertAlmostEqual(found[0]["match"], 0.8479, places=3)

    def test_a_file_that_broke_keeps_its_place_with_a_warning(self):
        before = self.lines("search", "photos", "a photo of a dog.", "--format", "jsonl")
        (self.home / before[1]["path"]).write_bytes(b"")
        out, err = self.run_moa("search", "photos", "a photo of a dog.", "--rerank", "3", "--no-update", "--format", "paths")
        self.assertEqual(out.splitlines()[1], before[1]["path"])
        self.assertIn(before[1]["path"], err)

    def test_only_one_text_can_be_reranked_and_only_by_a_model_with_a_head(self):
        self.assertEqual(self.error_code("search", "photos", "photos/0.png", "--rerank", "3", code=2), "invalid_argument")
        self.assertEqual(self.error_code("search", "photos", "a", "--rerank", "0", code=2), "invalid_argument")
        self.environment.pop("MOA_MODEL")
        self.assertEqual(self.error_code("search", "photos", "a", "--rerank", "3", "--model", str(MODEL), code=6), "unsupported")


class Conversation(MoaTest):
    def test_queries_are_read_from_a_terminal(self):
        photos = self.photos("owl.jpg", "horses.jpg")
        ours, theirs = pty.openpty()
        process = self.start("search", photos, "--format", "paths", "-k", "1", stdin=theirs)
        os.close(theirs)
        os.write(ours, "an owl\n\nan owl - an animal + 5:horses\nan owl +\nhorses\n".encode() + b"\x04")
        out, err = process.communicate(timeout=120)
        os.close(ours)
        self.assertEqual(process.returncode, 0, err)
        self.assertEqual(out.decode(), f"{photos}/owl.jpg\n{photos}/horses.jpg\n{photos}/horses.jpg\n")
        self.assertEqual(err.decode().count("moa: error: invalid_argument: "), 1)

    def test_without_a_terminal_a_query_is_needed(self):
        photos = self.photos("owl.jpg")
        self.assertEqual(self.error_code("search", photos, code=2), "invalid_argument")


if __name__ == "__main__":
    unittest.main()
