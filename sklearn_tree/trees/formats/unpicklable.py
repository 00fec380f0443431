"""What trees that cannot be pickled say when somebody tries, as a search with ``n_jobs`` does."""

from __future__ import annotations

import copyreg
import pickle
import sys
from typing import Any

# Types of other libraries that refuse to be pickled, by module.
_TYPES = {
    "lxml.etree": ("_Element", "_ElementTree"),
    "lxml.html": ("HtmlElement",),
    "tree_sitter": ("Node", "Tree"),
}


def name_the_remedy() -> None:
    """Make these types say what to do instead, those of libraries that are imported.

    They refuse anyway, with ``cannot pickle '...' object``, but by an error that joblib's cache takes for
    something else: it would confuse one list of them with another. Whoever reads trees calls this when
    it is cloned, as a search does before it sends samples to its workers.
    """
    for module, names in _TYPES.items():
        for name in names if module in sys.modules else ():
            cls = getattr(sys.modules[module], name, None)
            if isinstance(cls, type) and cls not in copyreg.dispatch_table:
                copyreg.pickle(cls, _refuse)  # type: ignore[arg-type]


def _refuse(tree: Any) -> None:
    cls = type(tree)
    raise pickle.PicklingError(
        f"{cls.__module__}.{cls.__name__} cannot be pickled, so it can go neither to other processes "
        "(n_jobs) nor into a cache (memory): vectorize first, X = TreeArray.from_trees(X), and go on with it"
    )
