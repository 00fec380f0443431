"""Names of decision trees: errors that lead to scikit-learn, and llms.txt."""

import importlib
from pathlib import Path

import pytest

import sklearn_tree

ROOT = Path(__file__).parents[1]


@pytest.mark.parametrize("name", sorted(sklearn_tree._ELSEWHERE))
def test_names_of_decision_trees_lead_to_scikit_learn(name):
    module = sklearn_tree._ELSEWHERE[name]
    assert hasattr(importlib.import_module(module), name)
    assert not hasattr(sklearn_tree, name)
    message = f"sklearn_tree has no decision trees, .* use `from {module} import {name}`"
    with pytest.raises(AttributeError, match=f"has no attribute '{name}': {message}"):
        getattr(sklearn_tree, name)
    with pytest.raises(ImportError, match=f"cannot import name '{name}' from 'sklearn_tree': {message}"):
        exec(f"from sklearn_tree import {name}")


def test_plot_tree_names_both_functions():
    with pytest.raises(AttributeError, match=r"sklearn_tree\.plot\.plot_tree .* sklearn\.tree\.plot_tree"):
        _ = sklearn_tree.plot_tree
    with pytest.raises(ImportError, match=r"sklearn_tree\.plot\.plot_tree for samples"):
        from sklearn_tree import plot_tree  # noqa: F401


def test_other_names_have_no_hint():  # the control
    with pytest.raises(AttributeError, match=r"has no attribute 'Forest'$"):
        _ = sklearn_tree.Forest
    with pytest.raises(ImportError, match=r"cannot import name 'Forest' from 'sklearn_tree' \("):
        from sklearn_tree import Forest  # noqa: F401
    assert set(sklearn_tree._ELSEWHERE).isdisjoint(sklearn_tree.__all__)


def test_llms_txt_excludes_decision_trees_and_its_code_runs():
    text = (ROOT / "llms.txt").read_text()
    assert "This library has no decision trees." in text
    names: dict = {}
    exec(text.split("```python\n")[1].split("```")[0], names)
    assert names["clf"].predict(["(S (NP she) (VP works))"]).tolist() == ["good"]
    assert "llms.txt" in (ROOT / "docs" / "conf.py").read_text()


def test_pages_that_llms_txt_names_exist():
    text = (ROOT / "llms.txt").read_text()
    pages = [line.split("](")[1].split(".html")[0] for line in text.splitlines() if line.startswith("- [")]
    assert len(pages) > 5
    missing = [page for page in pages if not (ROOT / "docs" / f"{page}.rst").exists()]
    assert not missing
