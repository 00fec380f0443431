"""Text files of vectors, in the format of GloVe, word2vec and fastText."""

from __future__ import annotations

import gzip
import mmap
from codecs import BOM_UTF8
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np


class TextFile:
    """Vectors of a text file; each line holds a word and its numbers, separated by spaces.

    A byte order mark and a header of word2vec ("400000 50") are skipped. The file is indexed once, and the
    numbers of a word are parsed when the word is looked up.

    Parameters
    ----------
    path : Path
        File; the content of ``.gz`` files is decompressed in memory.

    Raises
    ------
    ValueError
        If a line has another number of fields than the first; the message gives the line.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._data = _read(path)
        self._lines: dict[str, tuple[int, int]] = {}
        self._size: int | None = None
        for number, start, stop in _iterate_lines(self._data):
            self._add(number, start, stop)
        if self._size is None:
            raise ValueError(f"embeddings must be a file of vectors, got {str(path)!r}, which has none")

    def _add(self, number: int, start: int, stop: int) -> None:
        line = self._data[start:stop].rstrip()
        if b"  " in line:
            line = b" ".join(line.split())
        n_fields = line.count(b" ")
        if not line or (number == 1 and n_fields == 1 and line.replace(b" ", b"").isdigit()):
            return
        self._size = n_fields if self._size is None else self._size
        if not self._size or n_fields < self._size:
            raise ValueError(
                f"line {number} of {str(self.path)!r} must hold a word and {self._size or 'some'} numbers "
                f"separated by spaces, got {line[:40].decode(errors='replace')!r} with {n_fields} numbers"
            )
        word = line.rsplit(b" ", self._size)[0] if n_fields > self._size else line[: line.index(b" ")]
        self._lines.setdefault(word.decode(errors="replace"), (start, stop))

    def get(self, word: str) -> np.ndarray | None:
        """Return the vector of a word, ndarray of float32, or None."""
        if word not in self._lines:
            return None
        start, stop = self._lines[word]
        fields = self._data[start:stop].rsplit(maxsplit=self._size or 0)[1:]
        try:
            return np.array(fields, dtype=np.float32)
        except ValueError as error:
            raise ValueError(f"the vector of {word!r} in {str(self.path)!r} must hold numbers") from error


def open_text_file(path: Path) -> TextFile:
    """Open a file of vectors; the last two files are kept in memory."""
    status = path.stat()
    return _open(path.resolve(), status.st_mtime_ns, status.st_size)


@lru_cache(maxsize=2)
def _open(path: Path, modified: int, size: int) -> TextFile:
    return TextFile(path)


def _read(path: Path) -> Any:
    """Return the content of a file as bytes, or mapped into memory if it is not compressed."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes())
    with path.open("rb") as file:
        is_empty = not path.stat().st_size
        return b"" if is_empty else mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)


def _iterate_lines(data: Any) -> Iterator[tuple[int, int, int]]:
    """Yield the number of each line, from 1, and the positions of its first byte and its end."""
    number, start = 0, len(BOM_UTF8) if data[: len(BOM_UTF8)] == BOM_UTF8 else 0
    while start < len(data):
        stop = data.find(b"\n", start)
        stop = len(data) if stop < 0 else stop
        number += 1
        yield number, start, stop
        start = stop + 1
