"""Functions of the standard library as trees."""

import ast
import gzip
import json
import os
import sys
import sysconfig
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from sklearn_tree import Tree
from sklearn_tree.datasets import load_python_functions
from sklearn_tree.datasets.python_functions import build_function_tree


@pytest.fixture(scope="module")
def functions(tmp_path_factory):
    """Functions of a part of the library, since reading all of it takes long."""
    library, part = Path(sysconfig.get_path("stdlib")), tmp_path_factory.mktemp("library")
    for path in [*library.glob("*.py"), *library.glob("[e-i]*/*.py")]:
        (part / path.relative_to(library)).parent.mkdir(exist_ok=True)
        (part / path.relative_to(library)).symlink_to(path)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sysconfig.get_path", lambda name: str(part))
        return load_python_functions(max_per_verb=None)


def tree_of(source):
    return build_function_tree(ast.parse(source).body[0])


LONG = "def set_size(self, size):\n    {}self.size = size\n    return self.size\n"


def test_inner_nodes_are_types_and_leaves_are_identifiers():
    assert str(tree_of(LONG.format(""))) == (
        "(FunctionDef (arguments (arg self) (arg size))"
        " (Assign (Attribute (Name self) size) (Name size))"
        " (Return (Attribute (Name self) size)))"
    )


@pytest.mark.parametrize(
    "source",
    [
        LONG.format("").replace("set_size", "get_size"),
        LONG.format('"""Set the size."""; '),
        "@setter\n" + LONG.format(""),
        LONG.format("").replace("):", ") -> Setter:"),
    ],
    ids=["name", "docstring", "decorator", "return type"],
)
def test_the_tree_does_not_contain_anything_that_reveals_the_verb(source):
    assert tree_of(source) == tree_of(LONG.format(""))
    assert tree_of(source.replace("return", "yield")) != tree_of(LONG.format(""))


def test_constants_are_replaced_by_their_types():
    one, other, text = (tree_of(LONG.format(f"x = {value}; ")) for value in ("1", "2", "'a'"))
    assert one == other != text
    assert "int" in one.labels
    assert "str" in text.labels


def test_functions_that_are_too_small_or_too_large_are_omitted():
    assert tree_of("def get(self):\n    pass") is None
    assert tree_of("def get(self):\n    return [" + "0, " * 400 + "]") is None
    deep = "def get(self):\n    return " + "(" * 40 + "a" + "+ b)" * 40
    assert tree_of(deep).height > 40


def test_verbs_names_and_sizes_are_consistent(functions):
    assert set(functions.target) == set(functions.target_names)
    assert len(functions.target_names) == 10
    for verb, name in zip(functions.target, functions.function, strict=True):
        assert name.strip("_").lower().split("_")[0] == verb
    assert functions.data.sizes.min() >= 12
    assert functions.data.sizes.max() <= 400
    assert len(set(functions.data)) == len(functions.data)
    assert not any(len(verb_file) > 1 for verb_file in splits_by_file(functions).values())
    assert 0.1 < np.mean(functions.split == "test") < 0.3


def splits_by_file(functions):
    splits = {}
    for file, split in zip(functions.file, functions.split, strict=True):
        splits.setdefault(file, set()).add(split)
    return splits


@pytest.fixture
def library(monkeypatch, tmp_path):
    """A small library of five files with a function of each of two verbs, and files that must be omitted."""
    for i in range(5):
        one = LONG.format(f"self.x{i} = {i}; ")
        (tmp_path / f"m{i}.py").write_text(one + one.replace("set_size", "__get__").replace("x", "y"))
    (tmp_path / "broken.py").write_text("def get_x(:\n")
    (tmp_path / "site-packages").mkdir()
    (tmp_path / "site-packages" / "other.py").write_text(LONG.format("other()").replace("set", "read"))
    (tmp_path / "repeated.py").write_text((tmp_path / "m0.py").read_text().replace("set_", "make_"))
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))


def test_functions_are_in_the_order_of_files_and_lines_without_duplicates(library):
    functions = load_python_functions()
    assert functions.target.tolist() == ["set", "get"] * 5
    assert functions.function.tolist() == ["set_size", "__get__"] * 5
    assert functions.file.tolist() == [f"m{i}.py" for i in range(5) for _ in range(2)]


def test_the_limit_selects_the_same_functions_every_time(library):
    everything, some = load_python_functions(max_per_verb=None), load_python_functions(max_per_verb=2)
    assert Counter(some.target) == {"get": 2, "set": 2}
    assert set(some.data) < set(everything.data)
    X, y = load_python_functions(max_per_verb=2, return_X_y=True)
    assert some.data == X
    assert y.tolist() == some.target.tolist()


@pytest.mark.parametrize("limit", [0, -1, 2.5, "all"])
def test_invalid_limits_are_refused(limit):
    with pytest.raises(ValueError, match=f"max_per_verb must be an int >= 1 or None, got {limit!r}"):
        load_python_functions(max_per_verb=limit)


def test_missing_sources_are_an_error(monkeypatch, tmp_path):
    (tmp_path / "broken.py").write_text("def get_x(:\n")
    monkeypatch.setattr("sysconfig.get_path", lambda name: str(tmp_path))
    with pytest.raises(
        OSError, match=r"the sources of the standard library must be in .* found no functions"
    ):
        load_python_functions()


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the stored functions are those of Python 3.11")
@pytest.mark.skipif("SKLEARN_TREE_DATA" not in os.environ, reason="SKLEARN_TREE_DATA is not set")
def test_the_stored_functions_of_python_3_11_are_found():
    functions = load_python_functions(max_per_verb=None)
    path = Path(os.environ["SKLEARN_TREE_DATA"]) / "stdlib_ast" / "py311_function_verb.jsonl.gz"
    if not path.exists():
        pytest.skip(f"{path.name} is not in SKLEARN_TREE_DATA")
    with gzip.open(path, "rt", encoding="utf-8") as file:
        stored = [json.loads(line) for line in file]
    ours = {tree: i for i, tree in enumerate(functions.data)}
    found = [ours.get(Tree.from_any(row["tree"])) for row in stored]
    # Other patch releases and installations without tests have different functions.
    share = np.mean([i is not None for i in found])
    assert share == 1.0 if sys.version_info[:3] == (3, 11, 7) else share > 0.5
    for row, i in zip(stored, found, strict=True):
        if i is not None:
            assert (functions.target[i], functions.split[i]) == (row["label"], row["split"])
