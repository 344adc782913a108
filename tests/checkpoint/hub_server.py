"""A hub on the loopback device, well behaved or not, for the tests of `moa pull`.

python3 hub_server.py PORT_FILE: writes its two ports to PORT_FILE (the hub's and that of the server that large
files come from), and ends when its standard input does, or after five minutes.

The organisation in a model's name says how the hub behaves: see `Handler.resolve` and `Handler.large_file`.
GET /log answers with the requests so far, one a line.
"""

import hashlib
import json
import os
import sys
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

COMMIT = "0123456789abcdef0123456789abcdef01234567"


def safetensors(values_count):
    header = {"a": {"dtype": "U8", "shape": [values_count], "data_offsets": [0, values_count]}}
    text = json.dumps(header).encode()
    data = bytes(i * 7 % 251 for i in range(values_count))
    return len(text).to_bytes(8, "little") + text + data


LARGE = safetensors(300_000)
FILES = {
    "README.md": b"---\nlicense: mit\n---\n",
    "config.json": b'{"model_type":"clip"}',
    "merges.txt": b"",
    "model.safetensors": LARGE,
    "open_clip_model.safetensors": b"another copy, not wanted",
    "pytorch_model.bin": b"never wanted",
    "onnx/model.safetensors": b"never wanted",
    "tokenizer.json": b'{"version":"1.0"}',
}
log = []
counts = {}


def count(key):
    counts[key] = counts.get(key, 0) + 1
    return counts[key]


def git_sha1(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # headers and body are two writes: 40 ms otherwise

    def log_message(self, *arguments):
        pass

    def answer(self, status, headers, body=b"", declared=None):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if declared is None else declared))
        self.end_headers()
        self.wfile.write(body)
        if declared is not None and declared != len(body):
            self.close_connection = True

    def do_GET(self):
        log.append(f"{self.path} {self.headers.get('Range', '')}".strip())
        if self.path == "/log":
            return self.answer(200, {}, "\n".join(log).encode())
        if self.path.startswith("/api/models/"):
            return self.listing(*self.path.split("/")[3:5], self.path.split("/")[-1])
        if self.path.startswith("/large/"):
            return self.large_file(self.path.split("/")[2])
        organisation, model, _, commit, name = self.path.lstrip("/").split("/", 4)
        return self.resolve(organisation, commit, name)

    def listing(self, organisation, model, revision):
        if organisation == "absent" or revision not in ("main", "refs%2Fpr%2F1", COMMIT):
            return self.answer(404, {}, b"{}")
        if organisation == "private" and self.headers.get("Authorization") != "Bearer secret":
            return self.answer(401, {}, b"{}")
        if organisation == "busy" and (model == "always" or count("busy") < 3):
            return self.answer(503, {}, b"later")
        names = list(FILES)
        sha = COMMIT
        if organisation == "hostile":
            names += ["../../../escaped.safetensors", "/etc/passwd", "..", "", "model-/../../x.safetensors"]
        if organisation == "nonsense":
            sha = "../../elsewhere"
        if organisation == "foreign":
            names = ["config.json", "flax_model.msgpack"]
        siblings = [{"rfilename": name} for name in names]
        return self.answer(200, {}, json.dumps({"sha": sha, "siblings": siblings}).encode())

    def resolve(self, organisation, commit, name):
        content = FILES.get(name)
        if commit != COMMIT or content is None:
            return self.answer(404, {})
        if name != "model.safetensors":
            tag = git_sha1(content)
            if organisation == "untagged":
                return self.answer(200, {}, content)
            if organisation == "renamed" and "now" not in self.path:
                return self.answer(307, {"Location": f"/renamed/now/resolve/{commit}/{name}"}, b"moved")
            return self.answer(200, {"ETag": f'W/"{tag}"'}, content)
        digest = hashlib.sha256(content).hexdigest()
        headers = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(len(content)), "X-Repo-Commit": commit}
        location = self.path if organisation == "circle" else f"http://localhost:{large_port}/large/{organisation}"
        return self.answer(302, headers | {"Location": location})

    def large_file(self, organisation):
        if self.headers.get("Authorization"):
            return self.answer(400, {}, b"a token came to a server that it is not for")
        first = 0
        if self.headers.get("Range") and organisation != "rangeless":
            first = int(self.headers["Range"].removeprefix("bytes=").split("-")[0])
            if first >= len(LARGE):
                return self.answer(416, {})
        content = LARGE[first:]
        status, headers = 200, {"ETag": '"of the other server"'}
        if first > 0:
            status = 206
            headers["Content-Range"] = f"bytes {first}-{len(LARGE) - 1}/{len(LARGE)}"
        if organisation == "wrong":
            content = content[:1000] + b"?" + content[1001:]
        if organisation == "misplaced" and first > 0:
            headers["Content-Range"] = f"bytes {first + 1}-{len(LARGE) - 1}/{len(LARGE)}"
        if organisation == "endless":
            content += b"more"
        breaks = organisation == "broken" or count(organisation) == 1
        if organisation in ("broken", "once", "rangeless", "misplaced") and breaks:
            return self.answer(status, headers, content[:100_000], declared=len(content))
        if organisation == "slow":
            self.answer(status, headers, content[:100_000], declared=len(content))
            time.sleep(60)
        return self.answer(status, headers, content)


class Server(ThreadingHTTPServer):
    def handle_error(self, request, client_address):
        pass  # a client that hangs up is part of the tests


hub = Server(("127.0.0.1", 0), Handler)
large = Server(("127.0.0.1", 0), Handler)
large_port = large.server_address[1]
for server in (hub, large):
    threading.Thread(target=server.serve_forever, daemon=True).start()
with open(sys.argv[1] + ".new", "w") as file:
    file.write(f"{hub.server_address[1]} {large_port}\n")
os.rename(sys.argv[1] + ".new", sys.argv[1])
threading.Timer(300, lambda: os._exit(1)).start()
sys.stdin.read()
os._exit(0)
