"""Public docstrings follow numpydoc and agree with the signature."""

import inspect

import pytest
from numpydoc.validate import validate

import sklearn_tree
import sklearn_tree.nn
from sklearn_tree import datasets, export, plot, serve

# No extended summary, example, "see also" or description of a single return value is demanded.
NOT_DEMANDED = {"ES01", "EX01", "GL01", "PR10", "RT03", "SA01", "SA04", "SS06"}
MODULES = (sklearn_tree, datasets, export, plot, serve, sklearn_tree.nn)


def public_objects():
    for module in MODULES:
        for name in module.__all__:
            public = getattr(module, name)
            if inspect.ismodule(public) or not callable(public):
                continue
            path = f"{public.__module__}.{public.__qualname__}"
            yield path
            if inspect.isclass(public):
                for attribute, member in vars(public).items():
                    if member.__doc__ is None and any(hasattr(base, attribute) for base in public.__bases__):
                        continue  # documented where it is declared
                    if not attribute.startswith("_") and (
                        callable(member) or isinstance(member, (property, classmethod))
                    ):
                        yield f"{path}.{attribute}"
    for attribute in (
        "fit",
        "partial_fit",
        "predict",
        "predict_proba",
        "decision_function",
        "transform",
        "make_net",
    ):
        yield f"sklearn_tree.estimators.recursive.RecursiveNetClassifier.{attribute}"
    yield "sklearn_tree.estimators.recursive.RecursiveNetRegressor.predict"


@pytest.mark.parametrize("path", sorted(set(public_objects())))
def test_docstring(path):
    report = validate(path)
    ignored = set(NOT_DEMANDED)
    if report["type"] in ("property", "cached_property") or ".nn." in path:
        ignored |= {"RT01"}
    if ".nn." in path and ".forward" not in path:
        ignored |= {"PR01"}
    errors = [(code, text) for code, text in report["errors"] if code not in ignored]
    assert errors == []


def test_the_check_sees_a_missing_parameter():
    assert "PR01" in {code for code, _ in validate("sklearn_tree.drawing.find_strengths")["errors"]}
