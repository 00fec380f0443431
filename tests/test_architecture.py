"""Architecture: rules about the source of the package that can be checked without importing it."""

import ast
import io
import re
import statistics
import tokenize
import tomllib
from pathlib import Path

import numpy as np
import pytest
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sklearn_tree"
SOURCES = {path.relative_to(ROOT): path.read_text() for path in sorted(PACKAGE.rglob("*.py"))}

ENCODED_TYPES = {"TreeArray", "RaggedArray", "TreeBatch", "SequenceBatch", "ImageBatch"}
KIND_NAMES = {"trees", "tokens", "series", "images", "table", "texts", "a table", "token ids"}
KNOWS_KINDS = ("kinds/", "trees/", "nn/", "preprocessing/", "containers.py")

MAX_TYPE_IGNORES = 25
MAX_LINES_PER_FILE = 400
MAX_MEDIAN_LENGTH, MAX_PERCENTILE_LENGTH, MAX_LENGTH = 6, 19, 58


def assert_none(violations):
    """Fail with one violation per line."""
    lines = list(map(str, violations))
    assert not lines, "\n" + "\n".join(lines)


def test_violations_in_a_generator_are_reported():
    with pytest.raises(AssertionError, match=r"a\.py:1"):
        assert_none(f"{path}:1" for path in ["a.py"])


# Kinds of samples.


def kind_checks(source):
    """Return the lines that test for a type of encoded samples or compare with the name of a kind."""
    lines = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "isinstance":
            types = {getattr(n, "id", getattr(n, "attr", None)) for n in ast.walk(node.args[1])}
            if types & ENCODED_TYPES:
                lines.append(node.lineno)
        if isinstance(node, (ast.Compare, ast.match_case)):
            operands = [node.left, *node.comparators] if isinstance(node, ast.Compare) else [node.pattern]
            if any(_holds_kind_name(operand) for operand in operands):
                lines.append(operands[0].lineno)
    return lines


def _holds_kind_name(operand):
    """Return whether an operand is the name of a kind, or a display of constants with such a name."""
    if isinstance(operand, (ast.Tuple, ast.List, ast.Set)):
        return any(map(_holds_kind_name, operand.elts))
    if isinstance(operand, ast.MatchOr):
        return any(map(_holds_kind_name, operand.patterns))
    constant = getattr(operand, "value", None)
    constant = getattr(constant, "value", constant)  # MatchValue wraps a Constant
    return isinstance(constant, str) and constant in KIND_NAMES


def test_only_kinds_and_lower_floors_check_the_kind_of_samples():
    assert_none(
        f"{path}:{line}"
        for path, source in SOURCES.items()
        if not str(path.relative_to("sklearn_tree")).startswith(KNOWS_KINDS)
        for line in kind_checks(source)
    )


@pytest.mark.parametrize(
    "statement",
    [
        "isinstance(X, TreeArray)",
        "isinstance(X, (list, nn.TreeBatch))",
        "isinstance(X, TreeArray | RaggedArray)",
        "kind.name == 'trees'",
        "'a table' != kind",
        "kind in ('series', 'images')",
        "match kind:\n    case 'tokens' | 'other':\n        pass",
    ],
)
def test_checks_of_a_kind_are_detected(statement):
    assert kind_checks(statement)


@pytest.mark.parametrize(
    "statement", ["isinstance(X, list)", "kind.accepts(X)", "names = {'trees': 1}", "name == 'tree'"]
)
def test_other_statements_are_not_taken_for_checks_of_a_kind(statement):
    assert not kind_checks(statement)


# Imports.


def private_sklearn_imports(source):
    """Return the private modules and names of scikit-learn that a source imports."""
    found = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            found += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in found if re.match(r"sklearn\.(.*\.)?_", name)]


def test_only_validation_imports_private_names_of_scikit_learn():
    assert_none(
        f"{path}: {name}"
        for path, source in SOURCES.items()
        if path != Path("sklearn_tree/validation.py")
        for name in private_sklearn_imports(source)
    )


def test_private_imports_are_detected():
    assert private_sklearn_imports("from sklearn.utils._param_validation import Interval")
    assert private_sklearn_imports("def f():\n    from sklearn.utils.validation import _check_y")
    assert private_sklearn_imports("import sklearn.utils._tags")
    assert not private_sklearn_imports("from sklearn.utils.validation import check_array")
    assert private_sklearn_imports(SOURCES[Path("sklearn_tree/validation.py")])


def module_name(path):
    """Return the dotted name of a module; that of the package for ``__init__.py``."""
    parts = path.with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def import_cycles(sources):
    """Return the groups of modules that import each other.

    All imports count: those at the top, inside functions and under ``TYPE_CHECKING``.

    Parameters
    ----------
    sources : dict of str to str
        Source of each module by dotted name.

    Returns
    -------
    list of list of str
        Strongly connected components with more than one module, and modules that import themselves.
    """
    names = list(sources)
    edges = {(name, target) for name in names for target in _imported_modules(sources[name], sources)}
    rows, columns = ([names.index(edge[end]) for edge in edges] for end in (0, 1))
    graph = coo_array((np.ones(len(edges)), (rows, columns)), shape=(len(names), len(names)))
    labels = connected_components(graph, connection="strong")[1]
    groups = [[name for name, label in zip(names, labels) if label == i] for i in set(labels.tolist())]
    return [group for group in groups if len(group) > 1 or (group[0], group[0]) in edges]


def _imported_modules(source, sources):
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in sources)
        elif isinstance(node, ast.ImportFrom):
            for alias in node.names:
                submodule = f"{node.module}.{alias.name}"
                if submodule in sources:
                    yield submodule
                elif node.module in sources:
                    yield node.module


def test_no_modules_import_each_other():
    assert_none(import_cycles({module_name(path): source for path, source in SOURCES.items()}))


def test_import_cycles_are_detected():
    deferred = "def f():\n    from package.a import x"
    hint = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from package import c"
    sources = {"package": "", "package.a": hint, "package.b": deferred, "package.c": "import package.b"}
    assert import_cycles(sources) == [["package.a", "package.b", "package.c"]]
    assert import_cycles({"package": "", "package.a": "from package.a import x"}) == [["package.a"]]
    assert import_cycles({"package": "from package.a import x", "package.a": ""}) == []


# Types.


def count_type_ignores(source):
    """Return the number of ``type: ignore`` comments."""
    tokens = tokenize.generate_tokens(io.StringIO(source).readline)
    return sum(token.type == tokenize.COMMENT and "type: ignore" in token.string for token in tokens)


def disabled_error_codes(project):
    """Return the modules for which a parsed ``pyproject.toml`` disables error codes of mypy."""
    mypy = project["tool"]["mypy"]
    sections = [{"module": "all modules", **mypy}, *mypy.get("overrides", [])]
    return [section["module"] for section in sections if "disable_error_code" in section]


def test_mypy_checks_all_error_codes_everywhere():
    assert_none(disabled_error_codes(tomllib.loads((ROOT / "pyproject.toml").read_text())))


def test_type_ignores_are_rare():
    counts = {path: count_type_ignores(source) for path, source in SOURCES.items()}
    total = sum(counts.values())
    assert total <= MAX_TYPE_IGNORES, "\n".join(f"{path}: {n}" for path, n in counts.items() if n)


def test_disabled_checks_are_detected():
    assert count_type_ignores("x = 1  # type: ignore[misc]\ny = '# type: ignore'") == 1
    override = {"module": "package.*", "disable_error_code": ["misc"]}
    assert disabled_error_codes({"tool": {"mypy": {"overrides": [override]}}}) == ["package.*"]
    assert disabled_error_codes({"tool": {"mypy": {"disable_error_code": ["misc"]}}}) == ["all modules"]


# Sizes.


def function_lengths(source):
    """Return the length and name of each function: its lines from ``def`` to its end, without the docstring.

    Decorators are not counted; the signature and nested functions are.
    """
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            has_docstring = ast.get_docstring(node) is not None
            docstring = node.body[0].end_lineno - node.body[0].lineno + 1 if has_docstring else 0
            yield node.end_lineno - node.lineno + 1 - docstring, node.name


def test_files_are_short():
    counts = {path: len(source.splitlines()) for path, source in SOURCES.items()}
    assert_none(f"{path}: {n} lines" for path, n in counts.items() if n > MAX_LINES_PER_FILE)


def test_functions_are_short():
    lengths = [
        (n, f"{path}: {name}") for path, source in SOURCES.items() for n, name in function_lengths(source)
    ]
    counts = [n for n, _ in lengths]
    assert statistics.median(counts) <= MAX_MEDIAN_LENGTH
    assert np.percentile(counts, 90) <= MAX_PERCENTILE_LENGTH
    assert_none(f"{name}: {n} lines" for n, name in lengths if n > MAX_LENGTH)


def test_function_lengths_count_signatures_and_nested_functions_but_no_docstrings():
    source = 'class A:\n    @property\n    def f(\n        self\n    ):\n        """One.\n\n        Two.\n        """\n'
    source += "        def g(): return 1\n        return g()\n"
    assert {name: n for n, name in function_lengths(source)} == {"f": 5, "g": 1}
