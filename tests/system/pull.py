"""moa pull, against a hub on the loopback device."""
import pathlib
import subprocess
import sys
import time
import unittest

from moa_command import MoaTest, ROOT


class Pull(MoaTest):
    def setUp(self):
        super().setUp()
        port_file = self.home / "port"
        server = subprocess.Popen([sys.executable, ROOT / "tests/checkpoint/hub_server.py", port_file],
                                  stdin=subprocess.PIPE)
        self.addCleanup(lambda: (server.stdin.close(), server.wait(timeout=60)))
        while not port_file.exists() or not port_file.read_text().strip():
            self.assertIsNone(server.poll())
            time.sleep(0.02)
        self.environment["HF_ENDPOINT"] = f"http://127.0.0.1:{port_file.read_text().split()[0]}"
        self.environment["HF_HUB_CACHE"] = str(self.home / "hub")

    def test_a_model_is_fetched_into_the_hub_cache(self):
        out, err = self.run_moa("pull", "good/model")
        snapshot = pathlib.Path(out.strip())
        self.assertTrue((snapshot / "config.json").exists())
        self.assertTrue(str(snapshot).startswith(f"{self.home}/hub/models--good--model/snapshots/"))
        self.assertIn("good/model\n", self.run_moa("models", "--format", "names")[0])
        _, err = self.run_moa("pull", "good/model")
        self.assertIn(" 0 bytes", err)

    def test_what_is_not_there_is_not_found(self):
        self.assertEqual(self.error_code("pull", "absent/model", code=4), "not_found")


if __name__ == "__main__":
    unittest.main()
