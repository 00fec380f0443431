"""Texts parsed by spaCy, in batches and processes."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Any

from sklearn_tree.trees.formats import FlatTree, Part, flatten
from sklearn_tree.trees.formats.spacy_doc import read_doc


def load_model(model: Any) -> Any:
    """Return a spaCy pipeline by name, or the one given.

    Raises
    ------
    ImportError
        If spaCy or the model is not installed; the message holds the line that installs it.
    """
    if not isinstance(model, str):
        return model
    try:
        import spacy
    except ImportError as error:
        raise ImportError("TreeParser('spacy') needs spaCy: pip install spacy") from error
    try:
        return spacy.load(model)
    except OSError as error:
        raise ImportError(
            f"TreeParser('spacy') needs the model {model!r}: python -m spacy download {model}"
        ) from error


def parse_texts(
    texts: list[str], model: Any, label: str, batch_size: int, n_process: int
) -> Iterator[FlatTree]:
    """Parse texts, one tree each, in their order."""
    nlp = load_model(model)
    read = partial(read_doc, label=label)
    row = 0
    try:
        for doc in nlp.pipe(texts, batch_size=batch_size, n_process=n_process):
            yield flatten(Part(doc, read))
            row += 1
    except ValueError as error:
        row += _first_refused(nlp, texts[row : row + batch_size])
        raise ValueError(f"X[{row}]: {error}") from error


def _first_refused(nlp: Any, batch: list[str]) -> int:
    """Find the text that a batch failed at; 0 where each can be parsed, as with a model without a parser."""
    for row, text in enumerate(batch):
        try:
            nlp(text)
        except ValueError:
            return row
    return 0
