"""Parser of Python code, which uses the parser of the running interpreter."""

from __future__ import annotations

import ast
import sys
import warnings

from sklearn_tree.trees.formats import FlatTree, flatten


def parse_python(text: str) -> FlatTree:
    """Parse the code of a module, function or statement; a single statement is the root."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about invalid escapes, which the user did not write
            module = ast.parse(text)
    except SyntaxError as error:
        line = "" if error.lineno is None else f" (line {error.lineno})"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ValueError(f"not valid Python {version}: {error.msg}{line}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("code is nested too deeply for Python's parser") from error
    return flatten(module.body[0] if len(module.body) == 1 else module)
