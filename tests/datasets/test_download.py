"""Downloads of files."""

import hashlib
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from sklearn_tree.datasets import download
from sklearn_tree.datasets.download import fetch_file

NAME = "archive.zip"
BODY = bytes(range(256)) * 20


class Server(ThreadingHTTPServer):
    """Server of one file that can close the first connections early or ignore ranges."""

    def __init__(self, body):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.n_lost, self.supports_ranges, self.ranges = body, 0, True, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, requested = self.server, self.headers.get("Range")
        server.ranges.append(requested)
        if self.path != f"/{NAME}":
            return self.send_error(404)
        start = int(requested[len("bytes=") : -1]) if requested and server.supports_ranges else 0
        if requested and start >= len(server.body):
            return self.send_error(416)
        rest = server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if server.n_lost:
            server.n_lost -= 1
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)

    def log_message(self, *args):
        pass


@pytest.fixture
def server():
    with Server(BODY) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def path(tmp_path):
    return tmp_path / NAME


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def fetch(server, path, **params):
    return fetch_file(server.url, path, sha256(BODY), **params)


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_file_is_downloaded_once(server, path):
    assert fetch(server, path) == path
    fetch(server, path, download_if_missing=False)
    assert server.ranges == [None]
    assert path.read_bytes() == BODY
    assert files(path.parent) == [NAME]


def test_a_lost_connection_is_resumed(server, path):
    server.n_lost = 1
    fetch(server, path)
    assert server.ranges == [None, f"bytes={len(BODY) // 2}-"]
    assert path.read_bytes() == BODY
    assert files(path.parent) == [NAME]


def test_a_later_call_resumes_a_failed_download(server, path):
    server.n_lost = 3
    with pytest.raises(OSError, match=r"cannot download .*call again to resume"):
        fetch(server, path)
    assert files(path.parent) == [NAME + ".part"]
    fetch(server, path)
    assert server.ranges[-1] not in (None, "bytes=0-")
    assert path.read_bytes() == BODY


def test_a_server_without_ranges_sends_the_whole_file_again(server, path):
    server.n_lost, server.supports_ranges = 1, False
    fetch(server, path)
    assert path.read_bytes() == BODY


def test_a_complete_part_is_used(server, path):
    path.with_name(NAME + ".part").write_bytes(BODY)
    fetch(server, path)
    assert path.read_bytes() == BODY


def test_a_wrong_checksum_is_an_error_and_no_file_is_left(server, path):
    server.body = b"something else"
    with pytest.raises(
        OSError, match=f"must have the sha256 checksum [0-9a-f]{{64}}, got {sha256(server.body)}"
    ):
        fetch(server, path)
    assert files(path.parent) == []


def test_an_existing_file_with_a_wrong_checksum_is_kept(server, path):
    path.write_bytes(b"mine")
    with pytest.raises(OSError, match=f"{NAME}.*delete it.* must have the sha256 checksum"):
        fetch(server, path)
    assert path.read_bytes() == b"mine"


def test_nothing_is_downloaded_if_that_is_forbidden(server, path):
    with pytest.raises(OSError, match=f"{NAME} must exist in .* if download_if_missing=False"):
        fetch(server, path, download_if_missing=False)
    assert server.ranges == []
    assert files(path.parent) == []


def test_an_http_error_is_not_retried(server, path):
    with pytest.raises(OSError, match=r"cannot download .*404"):
        fetch_file(server.url + "x", path, sha256(BODY))
    assert len(server.ranges) == 1


def test_an_unreachable_server_is_named(path, monkeypatch):
    monkeypatch.setattr(download, "_TIMEOUT_S", 5)
    with pytest.raises(OSError, match=r"cannot download http://127\.0\.0\.1:9/x"):
        fetch_file("http://127.0.0.1:9/x", path, sha256(BODY))
    assert files(path.parent) == []
