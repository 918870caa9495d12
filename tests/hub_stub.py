"""A Hub on this machine: enough of its HTTP interface for downloads and commits, standard library alone.

Repositories live in memory; every request is recorded as (method, path) so that tests can count them.
"""

import base64
import hashlib
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit


def commit_of(files: dict[str, bytes]) -> str:
    """Return a 40-digit name for a state of a repository."""
    digest = hashlib.sha1()
    for name in sorted(files):
        digest.update(name.encode() + b"\0" + files[name])
    return digest.hexdigest()


@dataclass
class HubStub:
    """The server's memory."""

    url: str = ""
    repositories: dict[str, dict[str, bytes]] = field(default_factory=dict)
    spaces: dict[str, str] = field(default_factory=dict)  # repository -> its sdk, for those that are Spaces
    requests: list[tuple[str, str]] = field(default_factory=list)
    ranges: list[str] = field(default_factory=list)  # which bytes were asked for, where not all of a file
    truncate: bool = False  # send half of each file, then hang up
    drops: int = 0  # hang up in the middle of so many files, and then no more
    refuse_writes: bool = False  # answer as to a visitor without a token
    _objects: dict[str, bytes] = field(default_factory=dict)  # uploaded large files by sha256

    def environment(self, cache: object) -> dict[str, str]:
        """Return the variables that make a child process use this Hub, with its own cache folder."""
        own = {"HF_ENDPOINT": self.url, "HF_HOME": str(cache), "HF_TOKEN": "hf_stub"}
        return {**own, "HF_HUB_DISABLE_XET": "1"}  # large files by plain HTTP


@contextmanager
def running_hub() -> Iterator[HubStub]:
    """Serve a Hub on a free port of the loopback address."""
    stub = HubStub()
    server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"stub": stub}))
    stub.url = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield stub
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Handler(BaseHTTPRequestHandler):
    stub: HubStub
    protocol_version = "HTTP/1.1"

    def log_message(self, *arguments: object) -> None:
        """Keep the tests' output clean."""

    def do_HEAD(self) -> None:
        self._serve()

    def do_GET(self) -> None:
        self._serve()

    def do_POST(self) -> None:
        body = self._body()
        self._note()
        path = unquote(urlsplit(self.path).path).removeprefix("/api/")
        if path == "validate-yaml":
            return self._json({"errors": [], "warnings": []})
        if self.stub.refuse_writes:
            return self._error(401, "", "Invalid username or password.")
        if path == "repos/create":
            return self._create(json.loads(body))
        repository, _, action = path.removeprefix("models/").removeprefix("spaces/").partition("/preupload/")
        if action:
            return self._preupload(json.loads(body))
        if "/commit/" in path:
            return self._commit(repository.partition("/commit/")[0], body)
        if path.endswith(".git/info/lfs/objects/batch"):
            return self._large_files(json.loads(body))
        return self._json({})

    def do_PUT(self) -> None:
        body = self._body()
        self._note()
        self.stub._objects[hashlib.sha256(body).hexdigest()] = body
        self._json({})

    def _create(self, wanted: dict) -> None:
        name = f"{wanted.get('organization') or 'me'}/{wanted['name']}"
        if name in self.stub.repositories:
            return self._json({"url": f"{self.stub.url}/{name}"}, 409)
        self.stub.repositories[name] = {}
        if wanted.get("type") == "space":
            self.stub.spaces[name] = wanted["sdk"]
        return self._json({"url": f"{self.stub.url}/{'spaces/' if name in self.stub.spaces else ''}{name}"})

    def _preupload(self, wanted: dict) -> None:
        files = [
            {
                "path": file["path"],
                "uploadMode": "lfs" if file["path"].endswith(".safetensors") else "regular",
                "shouldIgnore": False,
            }
            for file in wanted["files"]
        ]
        self._json({"files": files})

    def _large_files(self, wanted: dict) -> None:
        objects = [
            {
                "oid": one["oid"],
                "size": one["size"],
                "actions": {"upload": {"href": f"{self.stub.url}/storage/{one['oid']}", "header": {}}},
            }
            for one in wanted["objects"]
        ]
        self._json({"transfer": "basic", "objects": objects})

    def _commit(self, repository: str, body: bytes) -> None:
        files = self.stub.repositories[repository]
        for line in body.decode().splitlines():
            entry = json.loads(line)
            value = entry["value"]
            if entry["key"] == "file":
                files[value["path"]] = base64.b64decode(value["content"])
            elif entry["key"] == "lfsFile":
                files[value["path"]] = self.stub._objects[value["oid"]]
            elif entry["key"] == "deletedFile":
                files.pop(value["path"], None)
        commit = commit_of(files)
        self._json({"commitUrl": f"{self.stub.url}/{repository}/commit/{commit}", "commitOid": commit})

    def _serve(self) -> None:
        self._note()
        path = unquote(urlsplit(self.path).path).removeprefix("/")
        if path.startswith("api/"):
            return self._describe(path.removeprefix("api/").removeprefix("models/").removeprefix("spaces/"))
        repository, _, rest = path.removeprefix("spaces/").partition("/resolve/")
        revision, _, name = rest.partition("/")
        files = self.stub.repositories.get(repository)
        if files is None:
            return self._error(404, "RepoNotFound", "Repository not found")
        if revision not in ("main", commit_of(files)):
            return self._error(404, "RevisionNotFound", "Revision not found")
        if name not in files:
            return self._error(404, "EntryNotFound", "Entry not found")
        return self._send_file(files, name)

    def _describe(self, path: str) -> None:
        repository = path.partition("/revision/")[0].partition("/tree/")[0]
        files = self.stub.repositories.get(repository)
        if files is None:
            return self._error(404, "RepoNotFound", "Repository not found")
        if "/tree/" in path:
            return self._json(
                [{"type": "file", "path": k, "size": len(v), "oid": "0" * 40} for k, v in files.items()]
            )
        siblings = [{"rfilename": name} for name in files]
        return self._json({"id": repository, "sha": commit_of(files), "siblings": siblings})

    def _send_file(self, files: dict[str, bytes], name: str) -> None:
        whole = content = files[name]  # or the rest of it: a client goes on where it was cut off
        wanted = self.headers.get("Range", "")
        if wanted:
            self.stub.ranges.append(wanted)
            content = whole[int(wanted.removeprefix("bytes=").partition("-")[0]) :]
        self.send_response(206 if wanted else 200)
        if wanted:
            first = len(whole) - len(content)
            self.send_header("Content-Range", f"bytes {first}-{len(whole) - 1}/{len(whole)}")
        self.send_header("ETag", f'"{hashlib.sha256(whole).hexdigest()}"')
        self.send_header("X-Repo-Commit", commit_of(files))
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command == "GET":
            cut = (self.stub.truncate or self.stub.drops > 0) and name.endswith(".safetensors")
            self.stub.drops -= cut
            self.wfile.write(content[: len(content) // 2] if cut else content)
            self.close_connection = cut

    def _note(self) -> None:
        self.stub.requests.append((self.command, urlsplit(self.path).path))

    def _body(self) -> bytes:
        if self.headers.get("Transfer-Encoding") != "chunked":
            return self.rfile.read(int(self.headers.get("Content-Length", 0)))
        parts = []
        while size := int(self.rfile.readline(), 16):
            parts.append(self.rfile.read(size))
            self.rfile.readline()
        self.rfile.readline()
        return b"".join(parts)

    def _json(self, value: object, status: int = 200) -> None:
        content = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def _error(self, status: int, code: str, message: str) -> None:
        self.send_response(status)
        if code:
            self.send_header("X-Error-Code", code)
        self.send_header("X-Error-Message", message)
        self.send_header("Content-Length", "0")
        self.end_headers()
