"""Folder of compiled cells."""

from __future__ import annotations

import atexit
import contextlib
import importlib.util
import os
import shutil
import sys
import tempfile
from functools import cache
from pathlib import Path
from types import ModuleType

from sklearn_tree.files import replacing


def cache_folder() -> Path:
    """Return the folder of compiled cells: $SKLEARN_TREE_CACHE, by default a folder of the user's cache."""
    given = os.environ.get("SKLEARN_TREE_CACHE")
    try:
        if given:
            return Path(given).expanduser()
        return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "sklearn_tree"
    except RuntimeError:  # the user has no home
        return _temporary_folder()


@cache
def _temporary_folder() -> Path:
    """Make a temporary folder that is deleted at exit."""
    folder = tempfile.mkdtemp()
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


def import_source(name: str, source: str) -> ModuleType:
    """Import a module from its source, which is written to the cache since numba caches files only."""
    try:
        path = write_file(cache_folder() / f"{name}.py", source)
    except OSError:  # a read-only home
        path = write_file(_temporary_folder() / f"{name}.py", source)
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = sys.modules[name] = importlib.util.module_from_spec(spec)  # numba's cache imports it
    spec.loader.exec_module(module)
    return module


def write_file(path: Path, text: str) -> Path:
    """Write a file, unless it has this text; another process never sees a part of it."""
    data = text.encode()
    if path.exists() and path.read_bytes() == data:
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    with replacing(path) as temporary:
        temporary.write_bytes(data)
    return path


def write_mark(name: str, kind: str, text: str = "") -> None:
    """Write a mark of a module, unless the cache cannot be written."""
    with contextlib.suppress(OSError):
        write_file(_mark(name, kind), text)


def has_mark(name: str, kind: str) -> bool:
    """Return whether a module has a mark."""
    return _read_mark(name, kind) is not None


def is_compiled(name: str) -> bool:
    """Return whether numba can read the passes of a module, so that they need not be compiled.

    The mark ``compiled`` holds numba's folder. numba looks for a new one if that folder cannot be written.
    """
    folder = _read_mark(name, "compiled")
    if not folder or not os.access(folder, os.R_OK | os.W_OK):
        return False
    return all(any(Path(folder).glob(f"{name}.{function}-*.nbi")) for function in ("climb", "descend"))


def remove(name: str) -> None:
    """Remove all files of a module except the mark ``prepared``."""
    for folder in (_read_mark(name, "compiled"), cache_folder()):
        if folder is None:
            continue
        with contextlib.suppress(OSError):
            for path in Path(folder).glob(f"{name}.*"):
                if path.suffix != ".prepared":
                    path.unlink()


def _mark(name: str, kind: str) -> Path:
    return cache_folder() / f"{name}.{kind}"


def _read_mark(name: str, kind: str) -> str | None:
    try:
        return _mark(name, kind).read_text()
    except (OSError, UnicodeDecodeError):
        return None
