"""Atomic writes of files."""

from __future__ import annotations

import os
from pathlib import Path
from uuid import uuid4


def replace_file(path: str | os.PathLike, content: bytes) -> None:
    """Write a file under another name in the same folder, then rename it."""
    path = Path(path).absolute()
    temporary = path.with_name(f".{path.name}.{uuid4().hex}")
    try:
        temporary.write_bytes(content)
        os.replace(temporary, path)
    finally:
        temporary.unlink(missing_ok=True)
