"""A hub on 127.0.0.1 that answers huggingface_hub as huggingface.co does: repositories are folders."""

import contextlib
import hashlib
import http.server
import json
import re
import threading
import urllib.parse

LARGE = ".safetensors"


class _Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, answer):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.answer, self.log = answer, []
        threading.Thread(target=self.serve_forever, kwargs=dict(poll_interval=0.05),
                         daemon=True).start()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    timeout = 30

    def log_message(self, *_):
        pass

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        self.server.log.append((self.command, self.path, dict(self.headers)))
        status, headers, body = self.server.answer(self)
        with contextlib.suppress(ConnectionError):
            self.send_response(status)
            for name, value in {"Content-Length": len(body), **headers}.items():
                self.send_header(name, str(value))
            self.end_headers()
            if self.command != "HEAD":
                self.server.send_body(self, body)


class Hub:
    """Repositories by name; large files come from `storage`, another host."""

    def __init__(self):
        self.repositories, self.tags = {}, {}
        self.hub, self.storage = _Server(self._answer), _Server(self._content)
        self.hub.send_body = self.storage.send_body = lambda handler, body: handler.wfile.write(body)

    def close(self):
        for server in (self.hub, self.storage):
            server.shutdown()
            server.server_close()

    def add(self, name, folder, tag=None):
        """Serves a folder; the commit."""
        self.repositories[name] = folder
        commit = hashlib.sha1(name.encode()).hexdigest()
        self.tags |= {(name, word): commit for word in ("main", commit, tag) if word}
        return commit

    def forget(self):
        self.hub.log.clear()
        self.storage.log.clear()

    @property
    def requests(self):
        return [(method, path) for method, path, _ in self.hub.log + self.storage.log]

    # --- answers ----------------------------------------------------------------------------------

    def _answer(self, handler):
        path = urllib.parse.urlsplit(handler.path).path
        if match := re.fullmatch(r"/api/models/([^/]+/[^/]+)/(revision|tree)/([^/]+)", path):
            name, kind, revision = match[1], match[2], urllib.parse.unquote(match[3])
            if name not in self.repositories:
                return 401, {"X-Error-Code": "RepoNotFound"}, b""
            commit = self.tags.get((name, revision))
            if commit is None:
                return 404, {"X-Error-Code": "RevisionNotFound"}, b""
            listing = self._tree(name) if kind == "tree" else self._info(name, commit)
            return 200, {"Content-Type": "application/json"}, json.dumps(listing).encode()
        if match := re.fullmatch(r"/([^/]+/[^/]+)/resolve/([^/]+)/(.+)", path):
            name, commit = match[1], self.tags.get((match[1], urllib.parse.unquote(match[2])))
            file = self.repositories.get(name) / urllib.parse.unquote(match[3])
            if not file.is_file():
                return 404, {"X-Error-Code": "EntryNotFound", "X-Repo-Commit": commit}, b""
            return self._resolve(handler, file, commit)
        return 404, {}, b""

    def _files(self, name):
        return sorted(path for path in self.repositories[name].iterdir() if path.is_file())

    def _info(self, name, commit):
        return {"id": name, "modelId": name, "sha": commit, "private": False, "tags": [],
                "siblings": [{"rfilename": path.name} for path in self._files(name)]}

    def _tree(self, name):
        entries = []
        for path in self._files(name):
            data = path.read_bytes()
            entry = {"type": "file", "path": path.name, "size": len(data), "oid": git_hash(data)}
            if path.name.endswith(LARGE):
                entry["lfs"] = {"oid": sha256(data), "size": len(data), "pointerSize": 130}
            entries.append(entry)
        return entries

    def _resolve(self, handler, file, commit):
        data, headers = file.read_bytes(), {"X-Repo-Commit": commit}
        if not file.name.endswith(LARGE):
            return _ranged(handler, data, {**headers, "ETag": f'"{git_hash(data)}"'})
        location = f"{self.storage.address}/{file.parent.name}/{file.name}"
        self._stored = {**getattr(self, "_stored", {}), f"/{file.parent.name}/{file.name}": file}
        return 302, {**headers, "Location": location, "X-Linked-Etag": f'"{sha256(data)}"',
                     "X-Linked-Size": len(data)}, b""

    def _content(self, handler):
        return _ranged(handler, self._stored[handler.path].read_bytes(), {})


def _ranged(handler, data, headers):
    match = re.fullmatch(r"bytes=(\d+)-(\d*)", handler.headers.get("Range", ""))
    if not match:
        return 200, headers, data
    start, end = int(match[1]), min(len(data), int(match[2] or len(data)) + 1)
    return 206, {**headers, "Content-Range": f"bytes {start}-{end - 1}/{len(data)}"}, data[start:end]


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def git_hash(data):
    return hashlib.sha1(b"blob %d\0" % len(data) + data).hexdigest()
