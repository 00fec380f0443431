"""View of texts and token sequences."""

from __future__ import annotations

from contextlib import suppress
from typing import Any

import numpy as np

from sklearn_tree.containers import as_column, to_numpy, without_arrow
from sklearn_tree.explain.pieces import Pieces, find_ngrams, make_pieces
from sklearn_tree.explain.views.words import WordsView
from sklearn_tree.plot.text import write_markdown_tokens, write_tokens
from sklearn_tree.plot.tokens import draw_tokens, draw_tokens_svg, find_gaps
from sklearn_tree.trees import RaggedArray


class TokensView(WordsView):
    """View of texts and token sequences: a position is a token."""

    def ids(self, encoded: RaggedArray) -> np.ndarray:
        """Return the ids of all tokens."""
        return to_numpy(encoded.values)

    def find_texts(self, X: Any, n: int) -> list | None:
        """Return the user's texts, see :meth:`View.find_texts`."""
        column: list = []
        with suppress(TypeError, ValueError):  # steps before the net may read other columns
            column = as_column(without_arrow(X), "sequences")
        is_text = len(column) == n and all(isinstance(row, str) for row in column)
        return column if is_text else None

    def annotate(self, sample: list[str], text: str | None, node: int | None) -> list[str]:
        """Return the tokens with their text."""
        return sample if text is None else Text(sample, text)

    def locate(
        self, samples: RaggedArray, attributions: list[np.ndarray], names: np.ndarray
    ) -> dict[str, np.ndarray]:
        """Return the columns position and token."""
        assert samples.vocabulary is not None, "shown texts have words"
        starts = np.repeat(samples.offsets[:-1], samples.sizes)
        positions = np.arange(len(starts)) - starts
        return {"position": positions, "token": samples.vocabulary[samples.values]}

    def pieces(
        self, samples: RaggedArray, attributions: list[np.ndarray], own: list[np.ndarray], names: np.ndarray
    ) -> list[Pieces]:
        """Return the tokens and the runs of two and three tokens, see :meth:`View.pieces`."""
        assert samples.vocabulary is not None, "shown texts have words"
        words = make_pieces("word", samples.vocabulary[samples.values], own)
        return [words, find_ngrams(words, 2), find_ngrams(words, 3)]

    def write(self, sample: list[str], attributions: np.ndarray, names: np.ndarray) -> str:
        """Write a text with the attributions of its tokens."""
        return write_tokens(sample, attributions)

    def write_markdown(self, sample: list[str], attributions: np.ndarray, names: np.ndarray) -> str:
        """Write a text with bold and italic tokens."""
        return write_markdown_tokens(sample, attributions)

    def draw(self, sample: list[str], attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw a text, its tokens coloured by their attributions."""
        return draw_tokens(sample, attributions, limit=limit, legend=False, gaps=_find_gaps(sample))

    def draw_svg(self, sample: list[str], attributions: np.ndarray, names: np.ndarray, limit: float) -> str:
        """Draw the first tokens of a text, coloured by their attributions."""
        return draw_tokens_svg(sample, attributions, limit=limit, gaps=_find_gaps(sample))


class Text(list):
    """Tokens of a text.

    Parameters
    ----------
    tokens : list of str
        The tokens.
    text : str
        The text.
    """

    def __init__(self, tokens: list[str], text: str) -> None:
        super().__init__(tokens)
        self.text = text


def _find_gaps(sample: list[str]) -> list[str] | None:
    return find_gaps(sample.text, sample) if isinstance(sample, Text) else None
