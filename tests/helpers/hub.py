"""A model hub on 127.0.0.1, so that hub ids, revisions, cache and broken downloads are real.

    with Hub(folder, cache) as hub:             # folder/<owner>/<name>/<files> are its repositories
        load_segmenter(ModelEntry("m", "segmenter", "transformers-semantic", "owner/name"))

Inside the block the hub library of this process talks to the server and to an empty cache, and to
nothing else; so do child processes, through the environment. Weights are served as the hub serves
large files (named by SHA-256, behind a redirect), everything else by its git hash.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from unittest import mock
from urllib.parse import unquote, urlsplit

import huggingface_hub
from huggingface_hub import constants

__all__ = ["Hub", "Request"]

LARGE = (".safetensors", ".bin", ".pt", ".onnx")


@dataclass(frozen=True)
class Request:
    """A request that the server saw; ``range`` is the header's value or None."""

    method: str
    path: str
    range: str | None


@dataclass
class _Repository:
    commits: dict[str, dict[str, bytes]] = field(default_factory=dict)
    refs: dict[str, str] = field(default_factory=dict)
    token: str | None = None  # asked for, where gated


class Hub:
    """A server of the repositories under a folder, as they are when the block is entered.

    Attributes:
        url: such as http://127.0.0.1:40001, within the block.
        cache: the hub library's cache folder, within the block.
        requests: what the server was asked, in order.
    """

    def __init__(self, folder: str | Path, cache: str | Path) -> None:
        self.folder, self.cache = Path(folder), Path(cache)
        self.requests: list[Request] = []
        self.url = ""
        self._repositories: dict[str, _Repository] = {}
        self._cuts: dict[tuple[str, str], int] = {}
        self._damaged: dict[tuple[str, str], bytes | None] = {}
        for path in sorted(self.folder.glob("*/*")):
            if path.is_dir():
                self.commit(f"{path.parent.name}/{path.name}")

    def commit(self, repository: str, ref: str = "main") -> str:
        """Take the folder of ``owner/name`` as it is now for a commit of ``ref``; return its id."""
        root = self.folder / repository
        files = {
            path.relative_to(root).as_posix(): path.read_bytes()
            for path in sorted(root.rglob("*"))
            if path.is_file()
        }
        digest = hashlib.sha1(repository.encode())
        for name, content in files.items():
            digest.update(f"{name} {hashlib.sha1(content).hexdigest()}\n".encode())
        known = self._repositories.setdefault(repository, _Repository())
        known.commits[digest.hexdigest()] = files
        known.refs[ref] = digest.hexdigest()
        return digest.hexdigest()

    def cut(self, repository: str, file: str, after: int) -> None:
        """Close the connection once, after so many bytes of the file."""
        self._cuts[repository, file] = after

    def tamper(self, repository: str, file: str, content: bytes | None = None) -> None:
        """Serve other bytes under the old digest: ``content``, or the file's with its last bit off.

        Bytes of another length are served with the length they have.
        """
        if content is None:
            files = self._repositories[repository].commits[self._commit(repository, "main")]
            content = files[file][:-1] + bytes([files[file][-1] ^ 1])
        self._damaged[repository, file] = content

    def drop(self, repository: str, file: str) -> None:
        """List the file, but do not have it."""
        self._damaged[repository, file] = None

    def mend(self) -> None:
        """Take back `tamper` and `drop`."""
        self._damaged.clear()

    def gate(self, repository: str, token: str = "hf_granted") -> None:
        """Give files to who brings the token only: 401 to no one, 403 to others."""
        self._repositories[repository].token = token

    def asked(self, method: str = "GET", ending: str = "") -> list[Request]:
        """Return the requests with that method whose path ends so."""
        return [r for r in self.requests if r.method == method and r.path.endswith(ending)]

    @contextmanager
    def offline(self) -> Iterator[None]:
        """Within, the library is in its offline mode (``HF_HUB_OFFLINE=1``)."""
        with (
            mock.patch.object(constants, "HF_HUB_OFFLINE", True),
            mock.patch.dict(os.environ, {"HF_HUB_OFFLINE": "1"}),
        ):
            yield

    @property
    def environment(self) -> dict[str, str]:
        """Variables that make another process use this hub."""
        return {
            "HF_ENDPOINT": self.url,
            "HF_HOME": str(self.cache),
            "HF_HUB_CACHE": str(self.cache),
            "HF_HUB_DISABLE_XET": "1",
            "HF_HUB_DISABLE_TELEMETRY": "1",
            "HF_HUB_DISABLE_PROGRESS_BARS": "1",
            "NO_PROXY": "127.0.0.1",
        }

    def __enter__(self) -> Hub:
        hub = self

        class Handler(_Handler):
            owner = hub

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(
            target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
        )
        self._thread.start()
        self.cache.mkdir(parents=True, exist_ok=True)
        named = {
            "ENDPOINT": self.url,
            "HUGGINGFACE_CO_URL_TEMPLATE": self.url + "/{repo_id}/resolve/{revision}/{filename}",
            "HF_URL_HOSTS": frozenset({"127.0.0.1"}),
            "HF_HUB_CACHE": str(self.cache),
            "HF_TOKEN_PATH": str(self.cache / "token"),
            "HF_HUB_DISABLE_XET": True,
            "HF_HUB_DISABLE_TELEMETRY": True,
            "HF_HUB_OFFLINE": False,
            "DOWNLOAD_CHUNK_SIZE": 1024,  # a cut download goes on after the last whole chunk
        }
        keep = {
            name: value
            for name, value in os.environ.items()
            if name not in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN", "HF_HUB_OFFLINE")
        }
        self._patches: list[Any] = [
            mock.patch.dict(os.environ, keep | self.environment, clear=True),
            *(mock.patch.object(constants, name, value) for name, value in named.items()),
        ]
        for patch in self._patches:
            patch.start()
        huggingface_hub.close_session()
        return self

    def __exit__(self, *_: object) -> None:
        huggingface_hub.close_session()
        for patch in reversed(self._patches):
            patch.stop()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def _commit(self, repository: str, revision: str) -> str | None:
        known = self._repositories[repository]
        if revision in known.refs:
            return known.refs[revision]
        return revision if revision in known.commits else None


class _Handler(BaseHTTPRequestHandler):
    owner: Hub

    def log_message(self, *_: object) -> None:
        pass

    def do_HEAD(self) -> None:
        self._answer()

    def do_GET(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = urlsplit(self.path).path
        self.owner.requests.append(Request(self.command, unquote(path), self.headers.get("Range")))
        api = re.fullmatch(r"/api/models/([^/]+/[^/]+)(?:/(revision|tree)/([^/]+))?", path)
        file = re.fullmatch(r"/([^/]+/[^/]+)/(resolve|large)/([^/]+)/(.+)", path)
        if not api and not file:
            return self._refuse(404, "", "no such page")
        name, kind, given = (api or file).groups()[:3]
        revision = unquote(given or "main")
        if name not in self.owner._repositories:
            return self._refuse(404, "RepoNotFound", "Repository not found")
        commit = self.owner._commit(name, revision)
        if commit is None:
            return self._refuse(404, "RevisionNotFound", f"Invalid rev id: {revision}")
        if api:
            return self._list(name, commit, tree=kind == "tree")
        self._file(name, commit, unquote(file[4]), direct=kind == "large")

    def _list(self, name: str, commit: str, tree: bool) -> None:
        known = self.owner._repositories[name]
        files = known.commits[commit]
        if tree:
            page: object = [_listed(path, content) for path, content in files.items()]
        else:
            gated = "manual" if known.token else False
            siblings = [{"rfilename": path} for path in files]
            page = {"id": name, "modelId": name, "sha": commit, "private": False, "gated": gated,
                    "tags": [], "downloads": 0, "likes": 0, "siblings": siblings}  # fmt: skip
        self._send(200, json.dumps(page).encode(), {"Content-Type": "application/json"})

    def _file(self, name: str, commit: str, path: str, direct: bool) -> None:
        known = self.owner._repositories[name]
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        if known.token and given != known.token:
            text = f"Access to model {name} is restricted."
            return self._refuse(403 if given else 401, "GatedRepo", text)
        files = known.commits[commit]
        content = self.owner._damaged.get((name, path), files.get(path))
        commit_header = {"X-Repo-Commit": commit}
        if content is None:
            return self._refuse(404, "EntryNotFound", "Entry not found", commit_header)
        etag, size = _etag(path, files[path]), len(content)
        if path.endswith(LARGE) and not direct:
            place = f"{self.owner.url}/{name}/large/{commit}/{path}"
            linked = {"X-Linked-Etag": f'"{etag}"', "X-Linked-Size": str(size), "Location": place}
            return self._send(302, b"", commit_header | linked)
        headers = commit_header | {"ETag": f'"{etag}"', "Accept-Ranges": "bytes"}
        start = re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", ""))
        first = int(start[1]) if start else 0
        if start:
            headers["Content-Range"] = f"bytes {first}-{size - 1}/{size}"
        keep = self.owner._cuts.pop((name, path), None) if self.command == "GET" else None
        self._send(206 if start else 200, content[first:], headers, keep)

    def _refuse(
        self, status: int, code: str, text: str, headers: dict[str, str] | None = None
    ) -> None:
        more = {"X-Error-Code": code, "X-Error-Message": text}
        self._send(status, json.dumps({"error": text}).encode(), (headers or {}) | more)

    def _send(
        self, status: int, body: bytes, headers: dict[str, str], keep: int | None = None
    ) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body[:keep])


def _etag(path: str, content: bytes) -> str:
    """Name a file as the hub does: by SHA-256 where it is large, else by git."""
    if path.endswith(LARGE):
        return hashlib.sha256(content).hexdigest()
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def _listed(path: str, content: bytes) -> dict[str, object]:
    git = hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()
    entry: dict[str, object] = {"type": "file", "path": path, "size": len(content), "oid": git}
    if path.endswith(LARGE):
        digest = hashlib.sha256(content).hexdigest()
        entry["lfs"] = {"oid": digest, "size": len(content), "pointerSize": 134}
    return entry
