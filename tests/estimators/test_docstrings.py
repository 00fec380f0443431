"""Docstrings and defaults that the estimators share.

The entries are written out in every class, and these laws keep them identical.
"""

import inspect
from itertools import combinations

import pytest
from numpydoc.docscrape import ClassDoc
from samples import CLASSIFIERS, ESTIMATORS, REGRESSORS

from sklearn_tree.kinds.pairs import Pairs
from sklearn_tree.kinds.tokens import Tokens
from sklearn_tree.kinds.trees import Trees

FAMILIES = list(zip(CLASSIFIERS, REGRESSORS))
ACROSS_FAMILIES = [pair for pair in combinations(ESTIMATORS, 2) if pair not in FAMILIES]
SECTIONS = ["Parameters", "Attributes"]
OF_CLASSIFIERS = {"class_weight": None, "label_smoothing": 0.0, "calibrate": None}
# Entries that differ between families; within a family, only the class of the net differs.
DIFFERENT = {
    "cell",  # cells of trees and of sequences
    "pooling",  # of nodes, steps and feature maps
    "bidirectional",  # walks over trees or over sequences
    "input_kind",  # images are read by convolutional nets only
    "hidden_size",  # of a node, of a step or of the last hidden layer
    "embedding_dim",  # of a label or of a token
    "dropout",  # applied at other layers
    "word_dropout",  # of labels or of tokens
    "linear_path",  # over labels or tokens
    "lr",  # the automatic value of each family
    "max_epochs",
    "vectorizer_",
    "input_kind_",
    "n_channels_in_",
}


def entries(cls, section):
    """Return the type line and the text of each entry of a section of a docstring."""
    return {entry.name: (entry.type, *entry.desc) for entry in ClassDoc(cls)[section]}


def defaults(cls):
    return {name: parameter.default for name, parameter in inspect.signature(cls).parameters.items()}


def differences(one, two):
    """Return the shared keys whose values differ."""
    return {key for key in one.keys() & two.keys() if one[key] != two[key]}


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(("classifier", "regressor"), FAMILIES)
def test_entries_are_identical_within_a_family(classifier, regressor, section):
    one, two = entries(classifier, section), entries(regressor, section)
    assert differences(one, two) == ({"net_"} if section == "Attributes" else set())
    assert set(one) - set(two) == (
        set(OF_CLASSIFIERS) if section == "Parameters" else {"classes_", "n_classes_", "temperature_"}
    )
    assert set(two) <= set(one)


@pytest.mark.parametrize("section", SECTIONS)
@pytest.mark.parametrize(("one", "two"), ACROSS_FAMILIES)
def test_entries_are_identical_across_families_but_for_those_listed(one, two, section):
    allowed = DIFFERENT if (one in CLASSIFIERS) == (two in CLASSIFIERS) else DIFFERENT | {"net_"}
    assert differences(entries(one, section), entries(two, section)) <= allowed


def test_the_list_of_different_entries_has_no_superfluous_name():
    found = {
        name
        for one, two in ACROSS_FAMILIES
        for section in SECTIONS
        for name in differences(entries(one, section), entries(two, section))
    }
    assert found == DIFFERENT | {"net_"}


@pytest.mark.parametrize(("classifier", "regressor"), FAMILIES)
def test_defaults_are_identical_within_a_family(classifier, regressor):
    assert {**defaults(regressor), **OF_CLASSIFIERS} == defaults(classifier)
    own = [name for name in defaults(classifier) if name not in OF_CLASSIFIERS]
    assert own == list(defaults(regressor))  # the order, too


@pytest.mark.parametrize(("one", "two"), ACROSS_FAMILIES)
def test_defaults_are_identical_across_families_but_for_the_architecture(one, two):
    assert differences(defaults(one), defaults(two)) <= {"bidirectional", "cell", "pooling"}


def test_every_parameter_has_an_entry_in_the_order_of_the_signature():
    for cls in ESTIMATORS:
        assert list(entries(cls, "Parameters")) == list(defaults(cls))


@pytest.mark.parametrize("cls", ESTIMATORS)
def test_the_training_of_pairs_with_an_open_vocabulary_is_documented(cls):
    pairs = Pairs()
    pairs.item_kind = Trees() if "Recursive" in cls.__name__ else Tokens()
    pairs.item_kind.is_open = True
    found = pairs.training_defaults
    text = {name: " ".join(lines) for name, (_, *lines) in entries(cls, "Parameters").items()}
    assert f"{found.dropout} for an open vocabulary of pairs" in text["dropout"]
    assert f"{found.lr} otherwise" in text["lr"]
    assert f"({found.max_batches} of pairs)" in text["max_epochs"]


def test_a_changed_entry_or_default_is_found():  # the control
    class Changed(CLASSIFIERS[0]):
        def __init__(self, *, lr=0.5):
            pass

    Changed.__doc__ = CLASSIFIERS[0].__doc__.replace("Learning rate.", "The learning rate.")
    one, two = (entries(cls, "Parameters") for cls in (CLASSIFIERS[0], Changed))
    assert differences(one, two) == {"lr"}
    assert differences(defaults(CLASSIFIERS[0]), defaults(Changed)) == {"lr"}
