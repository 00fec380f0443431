"""The Stanford Sentiment Treebank: how it is downloaded and how it is read."""

import hashlib
import os
import threading
import zipfile
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from sklearn_tree import Tree
from sklearn_tree.datasets import download, fetch_sst, sst
from sklearn_tree.datasets.download import fetch_file

LINES = {
    "train": ["(3 (2 It) (4 works))", "(2 (2 a) (2 (1 b) (3 c)))", "(0 (2 It) (1 fails))"],
    "dev": ["(1 (2 It) (1 fails))"],
    "test": ["(4 (4 André\xa02) (2 .))"],
}
NAME = "trainDevTestTrees_PTB.zip"


class Server(ThreadingHTTPServer):
    """Serves one body, and can be told to cut the first connections or to ignore ranges."""

    def __init__(self, body):
        super().__init__(("127.0.0.1", 0), Handler)
        self.body, self.cuts, self.knows_ranges, self.ranges = body, 0, True, []

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_port}/{NAME}"


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        server, asked = self.server, self.headers.get("Range")
        server.ranges.append(asked)
        if self.path != f"/{NAME}":
            return self.send_error(404)
        start = int(asked[len("bytes=") : -1]) if asked and server.knows_ranges else 0
        if asked and start >= len(server.body):
            return self.send_error(416)
        rest = server.body[start:]
        self.send_response(206 if start else 200)
        self.send_header("Content-Length", str(len(rest)))
        self.end_headers()
        if server.cuts:
            server.cuts -= 1
            rest = rest[: len(rest) // 2]
        self.wfile.write(rest)

    def log_message(self, *args):
        pass


@pytest.fixture
def archive(tmp_path):
    path = tmp_path / "made.zip"
    with zipfile.ZipFile(path, "w") as file:
        for name, lines in LINES.items():
            file.writestr(f"trees/{name}.txt", "\n".join(lines) + "\n")
    return path.read_bytes()


@pytest.fixture
def server(archive, monkeypatch):
    with Server(archive) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        monkeypatch.setattr(sst, "_URL", server.url)
        monkeypatch.setattr(sst, "_SHA256", sha256(archive))
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def home(tmp_path):
    return tmp_path / "home"


def sha256(body):
    return hashlib.sha256(body).hexdigest()


def files(folder):
    return sorted(path.name for path in folder.iterdir())


def test_words_are_leaves_and_sentiments_are_no_part_of_the_trees(server, home):
    data = fetch_sst(data_home=home).data
    assert data[0] == Tree(["", "It", "works"], [-1, 0, 0])
    assert data[1] == Tree(["", "a", "", "b", "c"], [-1, 0, 0, 2, 2])
    assert set(data.vocabulary) == {"", "It", "works", "a", "b", "c", "fails", "André\xa02", "."}


def test_splits_classes_and_sentiments_of_nodes(server, home):
    bunch = fetch_sst(data_home=home, root_only=False)
    assert bunch.split.tolist() == ["train"] * 3 + ["dev", "test"]
    assert bunch.target.tolist() == [3, 2, 0, 1, 4]
    assert [row.tolist() for row in bunch.node_target] == [
        [3, 2, 4], [2, 2, 2, 1, 3], [0, 2, 1], [1, 2, 1], [4, 4, 2]
    ]  # fmt: skip
    assert bunch.target_names[bunch.target[0]] == "positive"
    assert "node_target" not in fetch_sst(data_home=home)


def test_binary_leaves_neutral_sentences_out_and_marks_neutral_phrases(server, home):
    bunch = fetch_sst(data_home=home, binary=True, root_only=False)
    assert bunch.target.tolist() == [1, 0, 0, 1]
    assert [str(tree) for tree in bunch.data][:2] == ["(\\- It works)", "(\\- It fails)"]
    assert [row.tolist() for row in bunch.node_target] == [[1, -1, 1], [0, -1, 0], [0, -1, 0], [1, 1, -1]]
    X, y = fetch_sst(data_home=home, binary=True, return_X_y=True)
    assert bunch.data == X
    assert y.tolist() == bunch.target.tolist()


def test_it_is_downloaded_once(server, home):
    fetch_sst(data_home=home)
    fetch_sst(data_home=home, download_if_missing=False)
    assert server.ranges == [None]
    assert files(home) == [NAME]


def test_a_cut_connection_is_taken_up_where_it_broke(server, home, archive):
    server.cuts = 1
    fetch_sst(data_home=home)
    assert server.ranges == [None, f"bytes={len(archive) // 2}-"]
    assert (home / NAME).read_bytes() == archive
    assert files(home) == [NAME]


def test_a_later_call_goes_on_where_the_last_one_gave_up(server, home, archive):
    server.cuts = 3
    with pytest.raises(OSError, match=r"cannot download .*call again to go on"):
        fetch_sst(data_home=home)
    assert files(home) == [NAME + ".part"]
    fetch_sst(data_home=home)
    assert server.ranges[-1] not in (None, "bytes=0-")
    assert (home / NAME).read_bytes() == archive


def test_a_server_that_knows_no_ranges_starts_again(server, home, archive):
    server.cuts, server.knows_ranges = 1, False
    fetch_sst(data_home=home)
    assert (home / NAME).read_bytes() == archive


def test_a_part_that_is_complete_already_is_taken(server, home, archive):
    home.mkdir()
    (home / f"{NAME}.part").write_bytes(archive)
    fetch_sst(data_home=home)
    assert (home / NAME).read_bytes() == archive


def test_a_wrong_checksum_is_an_error_and_nothing_is_left(server, home):
    server.body = b"something else"
    with pytest.raises(
        OSError, match=f"must have the sha256 checksum [0-9a-f]{{64}}, got {sha256(server.body)}"
    ):
        fetch_sst(data_home=home)
    assert files(home) == []


def test_a_file_of_the_users_with_a_wrong_checksum_is_named_and_kept(server, home):
    home.mkdir()
    (home / NAME).write_bytes(b"mine")
    with pytest.raises(OSError, match=f"{NAME}.*delete it.* must have the sha256 checksum"):
        fetch_sst(data_home=home)
    assert (home / NAME).read_bytes() == b"mine"


def test_nothing_is_downloaded_when_that_is_forbidden(server, home):
    with pytest.raises(OSError, match=f"{NAME} must be in .* with download_if_missing=False"):
        fetch_sst(data_home=home, download_if_missing=False)
    assert server.ranges == []
    assert files(home) == []


def test_an_answer_that_says_no_is_not_asked_for_twice(server, tmp_path):
    with pytest.raises(OSError, match=r"cannot download .*404"):
        fetch_file(server.url + "x", tmp_path / "x", sha256(b""))
    assert len(server.ranges) == 1


def test_a_server_that_cannot_be_reached_is_named(tmp_path, monkeypatch):
    monkeypatch.setattr(download, "_TIMEOUT_S", 5)
    with pytest.raises(OSError, match=r"cannot download http://127\.0\.0\.1:9/x"):
        fetch_file("http://127.0.0.1:9/x", tmp_path / "x", sha256(b""))
    assert files(tmp_path) == []


@pytest.mark.skipif("SKLEARN_TREE_DATA" not in os.environ, reason="SKLEARN_TREE_DATA names no folder of data")
def test_the_real_archive_has_the_published_counts():
    folder = Path(os.environ["SKLEARN_TREE_DATA"]) / "sst"
    if not (folder / NAME).exists():
        pytest.skip(f"sst/{NAME} is not in SKLEARN_TREE_DATA")
    five = fetch_sst(data_home=folder, download_if_missing=False, root_only=False)
    assert [np.sum(five.split == name) for name in ("train", "dev", "test")] == [8544, 1101, 2210]
    assert [five.data[five.split == name].n_nodes for name in ("train", "dev", "test")] == [
        318582,
        41447,
        82600,
    ]
    assert np.bincount(five.target[five.split == "test"]).tolist() == [279, 633, 389, 510, 399]
    assert five.node_target.offsets.tolist() == five.data.offsets.tolist()
    two = fetch_sst(data_home=folder, binary=True)
    assert [np.sum(two.split == name) for name in ("train", "dev", "test")] == [6920, 872, 1821]
