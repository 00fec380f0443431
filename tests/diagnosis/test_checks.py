"""Single checks: what they find, and controls in which they find nothing."""

import numpy as np
import pandas as pd
import pytest
from diagnosis_helpers import ordered_texts, products, trees
from samples import quick

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, RNNRegressor, diagnose
from sklearn_tree.diagnosis.samples import read_samples

HOSTILE = "<script>alert('x')</script>"


def find(diagnosis, name):
    """Return the findings of a check."""
    return [finding for finding in diagnosis if finding.name == name]


def diagnose_quickly(X, y, cls=RNNClassifier, **held_out):
    return diagnose(quick(cls).fit(X, y), X, y, **held_out)


# Words.


def test_rare_words_in_training_are_found():
    texts, y = ordered_texts(100, 0)
    rare = [" ".join(f"{word}_{i}" for word in text.split()) for i, text in enumerate(texts)]
    [finding] = find(diagnose_quickly(rare, y), "unknown_words")
    assert "too large" in finding.finding
    assert "100%" in finding.figure
    assert not find(diagnose_quickly(texts, y), "unknown_words")


# Sizes.


def test_a_huge_sample_is_found():
    texts, y = ordered_texts(100, 0)
    huge = [*texts[:-1], "w1 " * 1000]
    [finding] = find(diagnose_quickly(huge, y), "huge_samples")
    assert finding.figure.startswith("X[99] has 1000 positions")
    assert not find(diagnose_quickly(texts, y), "huge_samples")


# Classes.


def test_class_weights_are_a_remedy_for_imbalance():
    table, _ = products(400, 0)
    y = (np.arange(400) < 20).astype(int)
    [finding] = find(diagnose_quickly(table, y), "small_classes")
    assert finding.figure == "20 samples of class 1, 380 of class 0"
    weighted = quick(RNNClassifier, class_weight="balanced").fit(table, y)
    assert not find(diagnose(weighted, table, y), "small_classes")


# Numbers.


def test_constant_columns_and_outliers_are_found():
    table, y = products(200, 0)
    constant, outlier = table.copy(), table.copy()
    constant[:, 2], outlier[7, 1] = 5.0, 1e6
    assert find(diagnose_quickly(constant, y), "scale")[0].figure == "1 of 4, the first of which is 2"
    assert "column 1" in find(diagnose_quickly(outlier, y), "scale")[0].figure
    assert not find(diagnose_quickly(table * 1e3, y), "scale")


# Duplicates.


def test_equal_shares_of_copies_within_and_outside_of_X_are_no_leak():
    rng = np.random.RandomState(0)
    texts, _ = ordered_texts(200, 0)
    X, X_val = ([texts[i] for i in rng.randint(200, size=60)] for _ in range(2))
    y, y_val = rng.randint(2, size=(2, 60))
    findings = find(diagnose_quickly(X, y, X_val=X_val, y_val=y_val), "duplicates")
    assert not [finding for finding in findings if "Held-out" in finding.finding]
    findings = find(diagnose_quickly(texts[:60], y, X_val=texts[30:90], y_val=y_val), "duplicates")
    assert [finding for finding in findings if "Held-out" in finding.finding]


@pytest.mark.parametrize("noise", [0.0, 2.0])
def test_equal_samples_with_different_numbers_are_found(noise):
    texts, _ = ordered_texts(60, 0)
    y = np.tile(np.random.RandomState(0).randn(60), 2)
    y[:60] += noise
    findings = find(diagnose_quickly(texts * 2, y, RNNRegressor), "duplicates")
    assert any("different targets" in finding.finding for finding in findings) == bool(noise)


def test_copies_that_raise_the_validation_score_are_a_leak():
    X, _ = trees(400, 0)
    y = np.random.RandomState(0).randint(2, size=400)
    net = RecursiveNetClassifier(random_state=0, max_epochs=60).fit(X[:300], y[:300])
    diagnosis = diagnose(net, X[:300], y[:300], X_val=X[200:], y_val=y[200:])
    assert "too high" in find(diagnosis, "leak")[0].finding


def test_samples_have_equal_digests_only_if_they_are_equal():
    X = ["(S (A a) b)", "(S (A a) b)", "(S (A a b))", "(S A (a b))", "(S (A b) a)"]
    net = quick(RecursiveNetClassifier).fit(X, [0, 1, 0, 1, 0])
    keys = read_samples(net, [], X, [0, 1, 0, 1, 0]).digest()
    assert keys[0] == keys[1]
    assert len(set(keys)) == 4
    frame = pd.DataFrame({"a": ["u v", "w", "u v"], "b": ["w", "u v", "w"]})
    pairs = quick(CNNClassifier).fit(frame, [0, 1, 0])
    keys = read_samples(pairs, [], frame, [0, 1, 0]).digest()
    assert keys[0] == keys[2] != keys[1]


# Leaks.


def test_a_leaking_word_is_named_and_escaped():
    texts, y = ordered_texts(100, 0)
    tokens = [text.split() + [HOSTILE] * int(label) for text, label in zip(texts, y)]
    diagnosis = diagnose_quickly(tokens, y)
    assert HOSTILE.replace("'", "\\'") in find(diagnosis, "leak")[0].finding or HOSTILE in str(diagnosis)
    assert "<script>" not in diagnosis._repr_html_()


def test_a_leaking_column_is_named():
    table, y = products(200, 0)
    frame = pd.DataFrame(table, columns=["a", "b", "c", "id"])
    assert not find(diagnose_quickly(frame, y), "leak")
    frame["id"] = y + 0.1 * np.random.RandomState(0).rand(200)
    assert "the column 'id'" in find(diagnose_quickly(frame, y), "leak")[0].finding


def test_a_column_that_separates_only_one_of_three_classes_is_no_leak():
    table, _ = products(200, 0)
    y = np.arange(200) % 3
    table[:, 0] = np.where(y == 0, 10, table[:, 0])
    assert not find(diagnose_quickly(table, y), "leak")
    table[:, 0] = y[:]
    assert find(diagnose_quickly(table, y), "leak")


def test_a_column_that_is_proportional_to_the_target_is_a_leak():
    table, _ = products(200, 0)
    assert find(diagnose_quickly(table, 3 * table[:, 1] - 1, RNNRegressor), "leak")
    assert not find(diagnose_quickly(table, table[:, 1] + table[:, 2], RNNRegressor), "leak")


# Training.


def test_a_wrong_learning_rate_replaces_the_underfit_that_it_causes():
    X, y = trees(300, 0)
    low = RecursiveNetClassifier(lr=1e-6, random_state=0).fit(X, y)
    diagnosis = diagnose(low, X, y)
    assert "lr_too_low" in diagnosis.names
    assert "underfit" not in diagnosis.names


def test_noise_is_underfit_or_overfit_but_no_problem_of_the_learning_rate():
    table, _ = products(300, 0)
    y = np.random.RandomState(1).randint(2, size=300)
    names = run_diagnosis_of(table, y, RNNClassifier(random_state=0, hidden_size=8))
    assert {"underfit", "overfit"} & set(names)
    assert not {"lr_too_high", "lr_too_low"} & set(names)


def run_diagnosis_of(X, y, net):
    return diagnose(net.fit(X, y), X, y).names


def test_a_validation_loss_that_rises_is_found():
    X, y = trees(300, 0)
    noise = np.random.RandomState(0).permutation(y)
    for targets, is_found in ((y, False), (noise, True)):
        net = RecursiveNetClassifier(random_state=0, max_epochs=40)
        net.fit(X[:200], targets[:200], X_val=X[200:], y_val=targets[200:])
        findings = find(diagnose(net, X[:200], targets[:200]), "overfit")
        assert any("rose" in finding.finding for finding in findings) == is_found


def test_batches_of_another_size_end_the_range_test():
    texts, y = ordered_texts(100, 0)
    net = quick(RNNClassifier, lr=1e-6, max_epochs=60, net_params={"iterator_train__batch_size": 30})
    assert "lr_too_low" in diagnose(net.fit(texts, y), texts, y).names


@pytest.mark.parametrize("side", [12, 120])
def test_columns_of_large_samples_are_left_out(side):
    y = np.arange(40) % 2
    images = np.random.RandomState(0).rand(40, side, side, 1).astype(np.float32)
    images[:, 3, 4, 0] = y
    findings = find(diagnose_quickly(images, y, CNNClassifier), "leak")
    assert [finding.finding for finding in findings] == (
        ["The target can be read from X[:, 3, 4, 0]."] if side == 12 else []
    )


def test_an_output_without_variation_is_a_dead_unit():
    texts, y = ordered_texts(100, 0)
    net = quick(RNNClassifier).fit(texts, y)
    assert not find(diagnose(net, texts, y), "dead_units")
    for weight in net.net_.module_.encoder.parameters():
        weight.data.zero_()
    assert find(diagnose(net, texts, y), "dead_units")[0].figure.startswith("16 of 16 units")
