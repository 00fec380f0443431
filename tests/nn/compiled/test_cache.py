"""Files of compiled cells are found, replaced and never half-written."""

import os
from pathlib import Path

import pytest

from sklearn_tree.nn.compiled import cache


def test_the_folder_is_that_of_the_environment(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path))
    assert cache.cache_folder() == tmp_path
    monkeypatch.setenv("SKLEARN_TREE_CACHE", "~/folder")
    assert cache.cache_folder() == Path.home() / "folder"
    monkeypatch.delenv("SKLEARN_TREE_CACHE")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert cache.cache_folder() == tmp_path / "sklearn_tree"


def test_users_without_a_home_have_a_temporary_folder(monkeypatch):
    def fail():
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("SKLEARN_TREE_CACHE", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setattr(Path, "home", fail)
    assert cache.cache_folder().is_dir()
    assert cache.cache_folder() == cache.cache_folder()


@pytest.mark.parametrize("text", [b"x = 2\n", b"\xff\xfe"])
def test_a_damaged_source_is_written_again(monkeypatch, tmp_path, text):
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path / "new"))
    path = tmp_path / "new" / "some_name.py"
    assert cache.import_source("some_name", "x = 1\n").x == 1
    path.write_bytes(text)
    assert cache.import_source("some_name", "x = 1\n").x == 1
    assert set(os.listdir(path.parent)) - {"__pycache__"} == {"some_name.py"}


def test_other_users_may_read_the_files(tmp_path):
    before = os.umask(0o022)
    try:
        path = cache.write_file(tmp_path / "file", "text")
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == 0o644


def test_a_failed_write_leaves_no_file(tmp_path, monkeypatch):
    def fail(*args):
        raise OSError

    monkeypatch.setattr(os, "replace", fail)
    with pytest.raises(OSError):  # noqa: PT011
        cache.write_file(tmp_path / "file", "text")
    assert not os.listdir(tmp_path)


def test_without_a_folder_that_can_be_written_the_source_is_temporary(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path / "file" / "folder"))
    module = cache.import_source("some_name", "x = 1\n")
    assert module.x == 1
    assert tmp_path not in Path(module.__file__).parents
    cache.write_mark("some_name", "compiled", "folder")
    assert not cache.has_mark("some_name", "compiled")
    assert not cache.is_compiled("some_name")
    cache.remove("some_name")


def test_files_in_a_folder_that_cannot_be_written_are_not_used(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path))
    for function in ("climb", "descend"):
        (tmp_path / f"some_name.{function}-1.py311.nbi").write_text("")
    cache.write_mark("some_name", "compiled", str(tmp_path))
    assert cache.is_compiled("some_name")
    monkeypatch.setattr(os, "access", lambda path, mode: not mode & os.W_OK)
    assert not cache.is_compiled("some_name")


def test_removal_leaves_other_modules(monkeypatch, tmp_path):
    monkeypatch.setenv("SKLEARN_TREE_CACHE", str(tmp_path))
    for name in ("one.py", "one.climb-1.nbi", "two.py"):
        (tmp_path / name).write_text("")
    cache.write_mark("one", "compiled", str(tmp_path))
    cache.remove("one")
    assert os.listdir(tmp_path) == ["two.py"]
