"""Findings of a diagnosis, and their report as text, table and HTML."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass, fields
from typing import TYPE_CHECKING, Any, overload

from sklearn_tree.drawing import escape

if TYPE_CHECKING:
    import pandas as pd

_NOTHING = "No problems found"
# The colours of the page are kept, so the table is readable on light and dark backgrounds.
_LINE = "1px solid rgba(128, 128, 128, 0.4)"
_CELL = f"text-align: left; vertical-align: top; padding: 0.3em 0.8em; border-bottom: {_LINE}"


@dataclass(frozen=True, kw_only=True)
class Finding:
    """Problem of a fitted net or of its samples.

    Attributes
    ----------
    name : str
        Name of the check, for example "overfit".
    finding : str
        Description of the problem.
    figure : str
        Measured numbers.
    suggestion : str
        Remedy to try first.

    Examples
    --------
    >>> from sklearn_tree import RNNClassifier, diagnose
    >>> texts, y = ["a good film", "a bad film"] * 40, [1, 0] * 40
    >>> clf = RNNClassifier(random_state=0).fit(texts, y)
    >>> finding = diagnose(clf, texts, y)[0]
    >>> finding.name, finding.suggestion
    ('duplicates', 'Remove the copies before the split, or split by groups (GroupShuffleSplit).')
    """

    name: str
    finding: str
    figure: str
    suggestion: str


class Diagnosis(Sequence[Finding]):
    """Findings of :func:`diagnose`: a sequence that prints as a report.

    Parameters
    ----------
    findings : iterable of Finding
        The findings.

    Attributes
    ----------
    names : list of str
        Names of the findings, in order. A check may have more than one finding.

    Examples
    --------
    >>> from sklearn_tree.diagnosis import Diagnosis, Finding
    >>> Diagnosis([])
    No problems found
    >>> finding = Finding(
    ...     name="scale", finding="Columns are constant.", figure="2 of 3", suggestion="Drop them."
    ... )
    >>> Diagnosis([finding])
    1 problem found
    <BLANKLINE>
    scale: Columns are constant.
      figure:     2 of 3
      suggestion: Drop them.
    """

    def __init__(self, findings: Iterable[Finding] = ()) -> None:
        self._findings = tuple(findings)

    @property
    def names(self) -> list[str]:
        """Names of the findings, in order."""
        return [finding.name for finding in self._findings]

    def __len__(self) -> int:
        return len(self._findings)

    @overload
    def __getitem__(self, key: int) -> Finding: ...
    @overload
    def __getitem__(self, key: slice) -> Diagnosis: ...
    def __getitem__(self, key: Any) -> Any:
        return Diagnosis(self._findings[key]) if isinstance(key, slice) else self._findings[key]

    def __iter__(self) -> Iterator[Finding]:
        return iter(self._findings)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Diagnosis) and self._findings == other._findings

    def __hash__(self) -> int:
        return hash(self._findings)

    def to_frame(self) -> pd.DataFrame:
        """Return the findings as a table.

        Returns
        -------
        DataFrame
            One row per finding: name, finding, figure, suggestion.
        """
        import pandas as pd

        return pd.DataFrame(list(map(asdict, self._findings)), columns=_column_names())

    def __str__(self) -> str:
        return "\n\n".join([self._headline, *map(_write, self._findings)])

    __repr__ = __str__

    @property
    def _headline(self) -> str:
        n = len(self)
        return f"{n} problem{'s' if n > 1 else ''} found" if n else _NOTHING

    def _repr_html_(self) -> str:
        if not self:
            return f"<p>{_NOTHING}</p>"
        rows = [_write_row("th", _column_names()), *(_write_row("td", asdict(f).values()) for f in self)]
        return f'<table style="border-collapse: collapse; color: inherit">{"".join(rows)}</table>'


def _column_names() -> list[str]:
    return [field.name for field in fields(Finding)]


def _write(finding: Finding) -> str:
    return (
        f"{finding.name}: {finding.finding}\n  figure:     {finding.figure}\n"
        f"  suggestion: {finding.suggestion}"
    )


def _write_row(tag: str, cells: Iterable[str]) -> str:
    style = f'style="{_CELL}"'
    return f"<tr>{''.join(f'<{tag} {style}>{escape(cell)}</{tag}>' for cell in cells)}</tr>"
