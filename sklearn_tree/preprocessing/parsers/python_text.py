"""Parser of Python code, which uses the parser of the running interpreter."""

from __future__ import annotations

import sys
from functools import partial

from sklearn_tree.trees.formats import FlatTree, Part, flatten
from sklearn_tree.trees.formats.leaves import Splitter, keep_label
from sklearn_tree.trees.formats.python_ast import parse_code, read_ast


def parse_python(text: str, split: Splitter = keep_label) -> FlatTree:
    """Parse the code of a module, function or statement; a single statement is the root.

    ``split`` splits identifiers and strings.
    """
    try:
        module = parse_code(text)
    except SyntaxError as error:
        line = "" if error.lineno is None else f" (line {error.lineno})"
        version = f"{sys.version_info.major}.{sys.version_info.minor}"
        raise ValueError(f"not valid Python {version}: {error.msg}{line}") from error
    except (RecursionError, MemoryError) as error:
        raise ValueError("code is nested too deeply for Python's parser") from error
    root = module.body[0] if len(module.body) == 1 else module
    return flatten(Part(root, partial(read_ast, split=split)))
