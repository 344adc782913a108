"""The command's face: help, version, mistakes, the exit table, models, the man page and completions."""
import json
import os
import pty
import resource
import shutil
import signal
import subprocess
import time
import unittest

from moa_command import MoaTest, ROOT, TINY, png

COMMANDS = ["search", "embed", "classify", "match", "index", "inspect", "models", "pull", "export", "completion", "man"]


class Help(MoaTest):
    def test_general_help_names_every_command(self):
        out, _ = self.run_moa("--help")
        for command in COMMANDS:
            self.assertIn(f"\n  {command} ", out)

    def test_every_command_has_help_with_examples(self):
        for command in COMMANDS:
            out, _ = self.run_moa(command, "--help")
            self.assertRegex(out, rf"\nUsage: moa {command}( \S.*)?\n")
            self.assertNotRegex(out, r" \n")
            self.assertIn("Examples:", out)
            self.assertEqual(out, self.run_moa("help", command)[0])

    def test_version_is_the_projects(self):
        self.assertRegex(self.run_moa("--version")[0], r"^moa \d+\.\d+\.\d+\n$")

    def test_without_arguments_the_help_is_wrong_use(self):
        out, err = self.run_moa(code=2)
        self.assertEqual(out, "")
        self.assertIn("Usage: moa COMMAND", err)

    def test_a_slip_is_answered_with_the_nearest(self):
        _, err = self.run_moa("serach", "x", code=2)
        self.assertIn("did you mean search?", err)
        _, err = self.run_moa("hlep", code=2)
        self.assertIn("did you mean help?", err)
        _, err = self.run_moa("embed", "--formt", "npy", code=2)
        self.assertIn("did you mean --format?", err)

    def test_the_man_page_and_completions_know_every_option(self):
        man, _ = self.run_moa("man")
        scripts = [self.run_moa("completion", shell)[0] for shell in ("bash", "zsh", "fish")]
        for option in ("min-score", "texts-file", "labels-file", "no-update", "max-megapixels"):
            self.assertIn("\\-\\-" + option.replace("-", "\\-"), man)
            for script in scripts:
                self.assertIn(option, script)
        self.error_code("completion", "tcsh", code=2)

    def test_bash_completes_commands_and_options(self):
        script, _ = self.run_moa("completion", "bash")
        probe = script + 'COMP_WORDS=(moa se); COMP_CWORD=1; _moa; echo "${COMPREPLY[@]}"\n' \
                         'COMP_WORDS=(moa embed --form); COMP_CWORD=2; _moa; echo "${COMPREPLY[@]}"\n' \
                         'COMP_WORDS=(moa embed --format n); COMP_CWORD=3; _moa; echo "${COMPREPLY[@]}"\n'
        result = subprocess.run(["bash", "-c", probe], capture_output=True, text=True, check=True)
        self.assertEqual(result.stdout, "search\n--format\nnpy\n")


class ExitCodes(MoaTest):
    model = TINY

    """One test a row of the table."""

    def test_0_all_done(self):
        self.run_moa("embed", "--text", "a")

    def test_2_wrong_use(self):
        for arguments in (["embed", "--nonsense"], ["embed", "--dim", "x", "--text", "a"], ["embed"], ["nonsense"],
                          ["embed", "--text"], ["embed", "--raw=1", "--text", "a"], ["embed", "--format", "xml", "--text", "a"],
                          ["search"], ["index", "."], ["inspect"], ["pull", "../x"], ["embed", "--device", "tpu", "--text", "a"]):
            self.assertEqual(self.error_code(*arguments, code=2), "invalid_argument")

    def test_2_also_for_the_environment(self):
        self.environment["MOA_DEVICE"] = "abacus"
        self.assertEqual(self.error_code("embed", "--text", "a", code=2), "invalid_argument")

    def test_2_with_numbers_as_people_write_them(self):
        for arguments, said in ((["compress", TINY, "-o", "x", "--error", "2"], "an error of 2:"),
                                (["merge", TINY, TINY, "-o", "x", "--share", "1.5"], "a share of 1.5:"),
                                (["eval", ".", "--confidence", "1.25"], "found 1.25,")):
            self.assertIn(said, self.run_moa(*arguments, code=2)[1])
        self.write("big.png", png(1500, 1000))
        self.assertIn("the limit is 1.25 megapixels", self.run_moa("embed", "big.png", "--max-megapixels", "1.25", code=7)[1])

    def test_3_some_inputs_failed(self):
        self.write("good.png", png(8, 8))
        self.run_moa("embed", "good.png", "gone.png", code=3)

    def test_4_not_there(self):
        self.assertEqual(self.error_code("embed", "gone.png", code=4), "not_found")
        self.assertEqual(self.error_code("search", "nowhere", "a", code=4), "not_found")
        self.assertEqual(self.error_code("inspect", "./nowhere", code=4), "not_found")
        _, err = self.run_moa("embed", "--text", "a", "-m", "some/model", code=4)
        self.assertIn("moa pull some/model", err)

    def test_5_broken_data(self):
        broken = self.home / "broken-model"
        shutil.copytree(self.environment["MOA_MODEL"], broken)
        os.truncate(broken / "model.safetensors", 1000)
        self.assertEqual(self.error_code("embed", "--text", "a", "-m", broken, code=5), "corrupt_data")
        self.write("broken.png", png(8, 8)[:50])
        self.assertEqual(self.error_code("embed", "broken.png", code=5), "corrupt_data")

    def test_6_not_supported(self):
        self.assertEqual(self.error_code("embed", "--text", "a", "--device", "cuda", code=6), "unsupported")
        strange = self.home / "strange"
        shutil.copytree(self.environment["MOA_MODEL"], strange)
        config = json.loads((strange / "config.json").read_text())
        (strange / "config.json").write_text(json.dumps(config | {"model_type": "perceptron"}))
        self.assertEqual(self.error_code("embed", "--text", "a", "-m", strange, code=6), "unsupported")
        self.write("sound.wav", b"RIFF\x24\0\0\0WAVEfmt ")
        self.assertEqual(self.error_code("embed", "sound.wav", code=6), "unsupported")
        texts_only = ROOT / "tests/golden/sentence_transformers/bert_lasttoken"
        self.assertEqual(self.error_code("search", self.home, "a dog", "-m", texts_only, code=6), "unsupported")
        self.environment["MOA_COMPONENT_DIR"] = str(self.home)
        self.write("a.png", png(8, 8))
        self.assertEqual(self.error_code("embed", "a.png", code=6), "unsupported")

    def test_7_no_space(self):
        self.assertEqual(self.error_code("embed", "--text", "a", "-o", "/dev/full", code=7), "io_error")
        with open("/dev/full", "wb") as full:
            self.assertEqual(self.error_code("embed", "--text", "a", stdout=full, code=7), "io_error")
        self.assertEqual(self.error_code("embed", "--text", "a", "-o", "no/such/folder/x", code=7), "io_error")

    def test_7_a_full_disk_leaves_the_index_as_it_was(self):
        self.write("p/a.png", png(8, 8))
        self.run_moa("index", "p", "-o", "i.moa")
        for i in range(64):
            self.write(f"p/{i}.png", png(8, 8, (i, i, i)))
        def limit():
            signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
            resource.setrlimit(resource.RLIMIT_FSIZE, (16384, 16384))
        self.assertEqual(self.error_code("index", "p", "-o", "i.moa", preexec_fn=limit, code=7), "io_error")
        out, _ = self.run_moa("search", "i.moa", "red", "--format", "paths")
        self.assertIn("p/a.png", out)

    def test_130_interrupted_after_what_was_finished_is_written(self):
        self.photos()
        many = [f"photos/{path.name}" for path in sorted((self.home / "photos").iterdir())] * 40
        process = self.start("embed", "-", "-t", "1", stdin=subprocess.PIPE)
        process.stdin.write("\n".join(many).encode())
        process.stdin.close()
        first = process.stdout.readline()
        process.send_signal(signal.SIGINT)
        rest = process.stdout.read()
        errors = process.stderr.read().decode()
        self.assertEqual(process.wait(timeout=60), 130)
        self.assertIn("moa: error: cancelled", errors)
        items = [json.loads(line) for line in [first, *rest.splitlines()]]
        self.assertLess(len(items), len(many))
        self.assertTrue(all("embedding" in item for item in items))
        process.stdout.close()
        process.stderr.close()


class Pipes(MoaTest):
    model = TINY

    def test_a_closed_pipe_ends_quietly(self):
        texts = self.write("texts.txt", "\n".join(f"text {i}" for i in range(2000)))
        process = self.start("embed", "--texts-file", texts)
        process.stdout.readline()
        process.stdout.close()
        errors = process.stderr.read()
        process.stderr.close()
        self.assertEqual(process.wait(timeout=60), 0)
        self.assertEqual(errors, b"")

    def test_progress_is_drawn_on_a_terminal_only(self):
        self.write("texts.txt", "\n".join(f"text {i}" for i in range(300)))
        _, err = self.run_moa("embed", "--texts-file", "texts.txt")
        self.assertEqual(err, "")
        _, err = self.run_moa("embed", "--texts-file", "texts.txt", "--progress", "always")
        self.assertIn("/300", err)

    def test_colours_are_for_terminals_and_can_be_refused(self):
        self.write("red.png", png(8, 8))
        def on_a_terminal(**variables):
            self.environment |= {"TERM": "xterm"} | variables
            ours, theirs = pty.openpty()
            process = self.start("classify", "--labels", "a,b", "red.png", stdout=theirs)
            os.close(theirs)
            process.wait(timeout=60)
            process.stderr.close()
            out = os.read(ours, 65536)
            os.close(ours)
            return out
        self.assertIn(b"\x1b[", on_a_terminal())
        self.assertNotIn(b"\x1b[", on_a_terminal(NO_COLOR="1"))

    def test_names_cannot_steer_the_terminal(self):
        self.write("p/\x1b[31mred.png", png(8, 8))
        out, err = self.run_moa("search", "p", "red")
        self.assertNotIn("\x1b", out + err)


class Models(MoaTest):
    def test_the_bundled_model_is_listed_and_inspected(self):
        self.environment.pop("MOA_MODEL")
        self.environment["MOA_MODELS_DIR"] = str(ROOT / "models")
        self.assertIn("moa-mini\n", self.run_moa("models", "--format", "names")[0])
        (facts,) = self.lines("inspect", "moa-mini", "--format", "json")
        self.assertEqual(facts["name"], "moa-mini")
        self.assertGreater(facts["parameters"], 1_000_000)
        self.assertEqual({tower["name"] for tower in facts["towers"]}, {"text", "image"})
        out, _ = self.run_moa("inspect", "moa-mini")
        for fact in ("architecture", "tokenizer", "processor", "licence"):
            self.assertIn(fact, out)

    def test_the_default_is_not_taken_from_the_current_directory(self):
        self.environment.pop("MOA_MODEL")
        bundled = self.home / "bundled"
        shutil.copytree(TINY, bundled / "moa-mini")
        self.environment["MOA_MODELS_DIR"] = str(bundled)
        expected = self.lines("embed", "--text", "a")
        (self.home / "moa-mini").mkdir()  # no model: in nobody's way
        self.assertEqual(self.lines("embed", "--text", "a"), expected)
        self.assertEqual(self.lines("embed", "--text", "a", "-m", "moa-mini"), expected)
        shutil.copytree(ROOT / "tests/golden/siglip/odd_sizes", self.home / "moa-mini", dirs_exist_ok=True)
        self.assertEqual(self.lines("embed", "--text", "a"), expected)
        self.assertNotEqual(self.lines("embed", "--text", "a", "-m", "moa-mini"), expected)  # who names it means it

    def test_a_slip_in_a_bundled_models_name_is_answered_with_it(self):
        self.environment["MOA_MODELS_DIR"] = str(ROOT / "models")
        _, err = self.run_moa("embed", "--text", "a", "-m", "moa-min", code=4)
        self.assertIn("did you mean moa-mini?", err)
        self.assertNotIn("moa pull", err)

    def test_a_bundled_model_is_not_pulled(self):
        self.environment |= {"MOA_MODELS_DIR": str(ROOT / "models"), "HF_ENDPOINT": "http://127.0.0.1:9"}
        out, err = self.run_moa("pull", "moa-mini")
        self.assertEqual(out, f"{ROOT / 'models/moa-mini'}\n")
        self.assertIn("bundled", err)

    def test_what_is_wrong_in_a_model_names_its_directory(self):
        for file, content in (("config.json", "{ nonsense"), ("tokenizer.json", "{}"), ("preprocessor_config.json", "[]"),
                              ("model.safetensors", None)):
            model = self.home / ("of-" + file.split(".")[0])
            shutil.copytree(TINY, model)
            if content is None:
                tensors = (model / file).read_bytes()
                (model / file).write_bytes(tensors.replace(b"text_projection.weight", b"text_projection.wrongs"))
            else:
                (model / file).write_text(content)
            _, err = self.run_moa("embed", "-m", model.name, "--text", "a", str(TINY / "picture0.png"),
                                  code=3 if file[0] in "tp" else 5)
            self.assertEqual(err.count(f"'{model.name}'"), 1, err)
            self.assertIn(file, err)
            self.assertNotIn("json.exception", err)

    def test_the_architectures_are_listed_with_their_towers(self):
        names = self.run_moa("models", "--architectures", "--format", "names")[0].split()
        self.assertEqual(names, sorted(names))
        (whole,) = self.lines("models", "--architectures", "--format", "json")
        self.assertEqual([entry["name"] for entry in whole["architectures"]], names)
        self.assertEqual(self.lines("models", "--architectures", "--format", "jsonl"), whole["architectures"])
        siglip = next(entry for entry in whole["architectures"] if entry["name"] == "siglip")
        self.assertEqual((siglip["model_type"], siglip["layout"], siglip["towers"]), ("siglip", "transformers", ["text", "image"]))
        self.assertIn(siglip["summary"], self.run_moa("models", "--architectures")[0])
        (installed,) = self.lines("models", "--format", "json")
        self.assertIn("models", installed)

    def test_the_hub_cache_is_listed(self):
        commit = "0" * 40
        folder = self.home / "hub/models--org--name"
        (folder / "refs").mkdir(parents=True)
        (folder / "refs/main").write_text(commit)
        shutil.copytree(ROOT / "tests/golden/clip/odd_sizes", folder / "snapshots" / commit)
        self.environment["HF_HUB_CACHE"] = str(self.home / "hub")
        self.assertIn("org/name\n", self.run_moa("models", "--format", "names")[0])
        (facts,) = self.lines("inspect", "org/name", "--format", "json")
        self.assertEqual(facts["architecture"], "clip")

    def test_the_system_is_described(self):
        (facts,) = self.lines("inspect", "--system", "--format", "json")
        self.assertIn(facts["cpu_level"], ("portable", "avx2", "avx512", "avx512_bf16", "amx"))
        self.environment["MOA_CPU_LEVEL"] = "portable"
        (facts,) = self.lines("inspect", "--system", "--format", "json")
        self.assertEqual(facts["cpu_level"], "portable")


class Start(MoaTest):
    def test_the_version_costs_no_time(self):
        best = min(self.timed("--version") for _ in range(5))
        self.assertLess(best, 0.25)  # 10 ms on a quiet machine; room for a busy one and for sanitizers

    def timed(self, *arguments):
        begin = time.perf_counter()
        self.run_moa(*arguments)
        return time.perf_counter() - begin


if __name__ == "__main__":
    unittest.main()
