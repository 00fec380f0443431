"""Rows in errors that are raised while one sample is read."""

from __future__ import annotations

from typing import NoReturn


def reraise_with_row(error: Exception, row: int, activity: str) -> NoReturn:
    """Raise an error again with the row of the sample.

    Parameters
    ----------
    error : Exception
        The error. The message of a TypeError or ValueError gets the row. Any other error, such as a
        subclass whose constructor takes other arguments, gets a note.
    row : int
        Row of the sample.
    activity : str
        Activity that the note names, such as "reading".
    """
    if type(error) not in (TypeError, ValueError):
        error.add_note(f"while {activity} X[{row}]")
        raise error
    raise type(error)(f"X[{row}]: {error}") from error
