"""Downloads of files, with checksums; interrupted downloads are resumed."""

from __future__ import annotations

import hashlib
import os
from http.client import HTTPException
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

_N_TRIES = 3
_TIMEOUT_S = 30.0
_CHUNK = 1 << 16
_RANGE_NOT_SATISFIABLE = 416


def fetch_file(url: str, path: Path, sha256: str, *, download_if_missing: bool = True) -> Path:
    """Download a file unless it exists, and check its checksum.

    The data are written to ``<path>.part``, which a later call resumes if the connection is lost. A file with
    the right checksum is renamed to ``path``.

    Parameters
    ----------
    url : str
        An http or https URL.
    path : Path
        Path of the file. The folder must exist.
    sha256 : str
        Checksum in hexadecimal digits.
    download_if_missing : bool, default=True
        Whether to download the file if it does not exist.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    OSError
        If the file does not exist and ``download_if_missing`` is False, the download fails, or the checksum
        is wrong.
    """
    if not path.exists():
        if not download_if_missing:
            raise OSError(
                f"{path.name} must exist in {str(path.parent)!r} if download_if_missing=False, "
                "found no such file"
            )
        part = path.with_name(path.name + ".part")
        _download(url, part)
        try:
            _check(part, sha256, f"the download of {url}")
        except OSError:
            part.unlink()
            raise
        os.replace(part, path)
    _check(path, sha256, f"{str(path)!r} (delete it to download it again)")
    return path


def _download(url: str, part: Path) -> None:
    for tries_left in reversed(range(_N_TRIES)):
        try:
            return _download_rest(url, part)
        except HTTPError as error:  # another request would get the same response
            raise OSError(f"cannot download {url}: {error}") from error
        except (OSError, HTTPException) as error:
            if not tries_left:
                raise OSError(f"cannot download {url}: {error!r}; call again to resume") from error


def _download_rest(url: str, part: Path) -> None:
    size = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={size}-"} if size else {}
    try:
        response = urlopen(Request(url, headers=headers), timeout=_TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        if error.code == _RANGE_NOT_SATISFIABLE and size:  # complete, or another file
            return
        raise
    with response, part.open("ab" if response.status == 206 else "wb") as file:
        while chunk := response.read(_CHUNK):
            file.write(chunk)
        if response.length:  # the end of a lost connection looks like the end of the data
            raise OSError(f"the connection was lost, {response.length} bytes are missing")


def _check(path: Path, sha256: str, what: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise OSError(f"{what} must have the sha256 checksum {sha256}, got {found}")
