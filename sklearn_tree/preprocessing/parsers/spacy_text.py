"""Parser of plain text by a spaCy model, in batches and processes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from sklearn_tree.trees.formats import FlatTree, Part, flatten
from sklearn_tree.trees.formats.spacy_doc import read_doc


def load_model(model: Any) -> Any:
    """Load a spaCy model by name; a loaded model is returned unchanged.

    Raises
    ------
    ImportError
        If spaCy or the model is not installed. The message gives the command that installs it.
    """
    if not isinstance(model, str):
        return model
    try:
        import spacy
    except ImportError as error:
        raise ImportError("TreeParser('spacy') requires spaCy: pip install spacy") from error
    try:
        return spacy.load(model)
    except OSError as error:
        raise ImportError(
            f"TreeParser('spacy') requires the model {model!r}: python -m spacy download {model}"
        ) from error


def parse_texts(
    texts: list[str], model: Any, label: str, batch_size: int, n_process: int
) -> Iterator[FlatTree]:
    """Yield one tree per text, in order.

    Raises
    ------
    ValueError
        If spaCy cannot parse a text. The message gives the row.
    """
    nlp = load_model(model)
    read = partial(read_doc, label=label)
    row = 0
    try:
        for doc in nlp.pipe(texts, batch_size=batch_size, n_process=n_process):
            yield flatten(Part(doc, read))
            row += 1
    except ValueError as error:
        row += _find_failure(nlp, texts[row : row + batch_size])
        raise ValueError(f"X[{row}]: {error}") from error


def _find_failure(nlp: Any, batch: list[str]) -> int:
    """Return the position of the first text of a batch that spaCy cannot parse; 0 if it can parse all."""
    for row, text in enumerate(batch):
        try:
            nlp(text)
        except ValueError:
            return row
    return 0
