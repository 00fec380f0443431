"""Python source code, by the parser of the running interpreter."""

from __future__ import annotations

import ast
import warnings

from sklearn_tree.trees.formats import FlatTree, flatten


def parse_python(text: str) -> FlatTree:
    """Read the code of a module, a function, a statement; a single statement is its own root."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of odd escapes: no fault of the one who classifies it
            module = ast.parse(text)
    except SyntaxError as error:
        where = "" if error.lineno is None else f" (line {error.lineno})"
        raise ValueError(f"no code of this Python: {error.msg}{where}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("code nested more deeply than Python's own parser can read") from error
    return flatten(module.body[0] if len(module.body) == 1 else module)
