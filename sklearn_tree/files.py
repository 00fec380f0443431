"""Files that are replaced in one step."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from uuid import uuid4

_TEMPORARY = ".sklearn_tree-"  # start of the names of temporary files
_MAX_AGE = 3600.0  # seconds


@contextmanager
def replacing(path: str | os.PathLike) -> Iterator[Path]:
    """Let the block write a temporary file, which then becomes the file at ``path``.

    If the block raises, or the process is killed, the file at ``path`` stays as it was.

    Parameters
    ----------
    path : str or path-like
        File to write or to replace.

    Raises
    ------
    OSError
        If ``path`` is not a regular file, or its folder does not exist.

    Yields
    ------
    Path
        Temporary file in the same folder.
    """
    path = Path(os.path.realpath(path))
    if path.exists() and not path.is_file():
        raise OSError(f"{path} is not a regular file")
    if not path.parent.is_dir():
        raise FileNotFoundError(f"the folder {path.parent} does not exist")
    temporary = path.with_name(f"{_TEMPORARY}{uuid4().hex}")
    temporary.touch(exist_ok=False)
    try:
        mode = (path if path.exists() else temporary).stat().st_mode  # writers may set other permissions
        yield temporary
        with open(temporary, "rb+") as file:
            os.fsync(file.fileno())
        temporary.chmod(mode)
        os.replace(temporary, path)
    except BaseException:
        with suppress(FileNotFoundError):
            temporary.unlink()
        raise


def remove_temporaries(folder: Path) -> None:
    """Remove the temporary files of processes that were killed, which nobody has written to for an hour.

    Parameters
    ----------
    folder : Path
        Folder.
    """
    for path in folder.glob(f"{_TEMPORARY}*"):
        with suppress(FileNotFoundError):
            if time.time() - path.stat().st_mtime > _MAX_AGE:
                path.unlink()
