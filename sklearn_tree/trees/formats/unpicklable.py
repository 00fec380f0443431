"""Helpful errors for trees of other libraries that cannot be pickled."""

from __future__ import annotations

import copyreg
import pickle
from types import ModuleType
from typing import Any, NoReturn

from sklearn_tree.trees.formats.imports import call_after_import


def refuse_pickling(module: str, *names: str) -> None:
    """Make types of an optional library raise a helpful error when an instance is pickled.

    The types cannot be pickled in any case, but their own error is a ``TypeError``. While joblib's cache
    hashes the arguments of a function, it takes a ``TypeError`` for keys that cannot be sorted, and confuses
    one list of trees with another. A search with ``n_jobs`` pickles the samples before any code of this
    package sees them, so the error is registered as soon as the library is imported.

    Parameters
    ----------
    module : str
        Module of the types.
    *names : str
        Names of the types.
    """

    def register(module: ModuleType) -> None:
        for name in names:
            cls = getattr(module, name, None)
            if isinstance(cls, type):
                copyreg.pickle(cls, _refuse)

    call_after_import(module, register)


def _refuse(tree: Any) -> NoReturn:
    cls = type(tree)
    raise pickle.PicklingError(
        f"{cls.__module__}.{cls.__name__} cannot be pickled, so it cannot be sent to other processes "
        "(n_jobs) or cached (memory): vectorize first, X = TreeArray.from_trees(X), and pass X on"
    )
