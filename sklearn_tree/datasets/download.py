"""Files from the web: checked, resumed where a connection was cut, and never half there."""

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
    """Download a file unless it is there, and check what it holds.

    What arrives is kept in ``<path>.part``, from where a later call goes on; only a file with the
    right checksum takes its place.

    Parameters
    ----------
    url : str
        An http or https address.
    path : Path
        Where the file is or shall be; its folder exists.
    sha256 : str
        The checksum, in hexadecimal digits.
    download_if_missing : bool, default=True
        Whether the web may be used.

    Returns
    -------
    Path
        ``path``.

    Raises
    ------
    OSError
        If the file is not there and may not be downloaded, the web cannot be reached, or the
        checksum is another one.
    """
    if not path.exists():
        if not download_if_missing:
            raise OSError(
                f"{path.name} must be in {str(path.parent)!r} with download_if_missing=False, "
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
        except HTTPError as error:  # an answer: asking again would not change it
            raise OSError(f"cannot download {url}: {error}") from error
        except (OSError, HTTPException) as error:
            if not tries_left:
                raise OSError(f"cannot download {url}: {error!r}; call again to go on") from error


def _download_rest(url: str, part: Path) -> None:
    there = part.stat().st_size if part.exists() else 0
    headers = {"Range": f"bytes={there}-"} if there else {}
    try:
        response = urlopen(Request(url, headers=headers), timeout=_TIMEOUT_S)  # noqa: S310
    except HTTPError as error:
        if error.code == _RANGE_NOT_SATISFIABLE and there:  # all of it is there, or something else is
            return
        raise
    with response, part.open("ab" if response.status == 206 else "wb") as file:
        while chunk := response.read(_CHUNK):
            file.write(chunk)
        if response.length:  # with a size given, a cut connection ends the stream without an error
            raise OSError(f"the connection was cut with {response.length} bytes to come")


def _check(path: Path, sha256: str, what: str) -> None:
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != sha256:
        raise OSError(f"{what} must have the sha256 checksum {sha256}, got {found}")
