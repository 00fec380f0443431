"""Supervision of every node equals training on each labelled phrase as a tree of its own."""

import pickle

import numpy as np
import pandas as pd
import pytest
import sklearn
import torch
from reference import subtree
from samples import object_array, quick
from sklearn.base import clone
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_tree import (
    CaptumExplainer,
    RaggedArray,
    RecursiveNetClassifier,
    RecursiveNetRegressor,
    Tree,
    TreeArray,
    TreeVectorizer,
    predict_nodes,
)
from sklearn_tree.datasets import make_negation
from sklearn_tree.nn import CELLS, POOLINGS

N = 40
NEGATION = make_negation(N, random_state=0)
RAW, SIZES = NEGATION.data, NEGATION.data.sizes
X = TreeVectorizer().fit_transform(RAW)
N_NODES = X.n_nodes
STARTS = X.offsets[:-1]
RNG = np.random.RandomState(0)
# Labels are random, so equal subtrees have different labels.
LABELS = RNG.randint(0, 3, N_NODES)
IS_LABELLED = RNG.rand(N_NODES) < 0.6
IS_LABELLED[STARTS] = False
MARKED = np.where(IS_LABELLED, LABELS, -1)
Y = LABELS[STARTS]


def split(flat):
    """Return one sequence per tree."""
    return [row.tolist() for row in np.split(np.asarray(flat), X.offsets[1:-1])]


def fit_one_batch(cls, X, y, lr=0.05, fit_params=None, **params):
    """Fit two steps of gradient descent on all samples and return the estimator."""
    params = {"optimizer": "sgd", "weight_decay": 0.0, "batch_size": 10_000, "max_arity": 2, **params}
    return quick(cls, lr=lr, **params).fit(X, y, **(fit_params or {}))


def weights(estimator):
    return torch.cat([p.detach().ravel() for p in estimator.net_.module_.parameters()])


def assert_equal_weights(one, two, rtol=1e-4):
    torch.testing.assert_close(weights(one), weights(two), rtol=rtol, atol=1e-6)


PLACES = np.flatnonzero(IS_LABELLED | np.isin(np.arange(N_NODES), STARTS))


def phrases():
    """Return the subtrees of the roots and labelled nodes as trees of their own, in the order of PLACES."""
    trees = []
    for row, tree in enumerate(X):
        for node in range(len(tree.labels)):
            if STARTS[row] + node in PLACES:
                nodes = subtree(tree, node)
                parents = [-1, *(nodes.index(tree.parents[i]) for i in nodes[1:])]
                trees.append(Tree([tree.labels[i] for i in nodes], parents))
    return TreeArray.from_trees(trees).replace(n_labels=X.n_labels)


PHRASES = phrases()


def fit_both(cls, y, node_y, y_phrases, nodes_params=None, phrases_params=None, **params):
    """Fit trees with node labels, and all labelled phrases with the learning rate of the same step."""
    lr = 0.05
    nodes = fit_one_batch(cls, X, y, lr, {"node_y": node_y, **(nodes_params or {})}, **params)
    params.pop("max_batch_nodes", None)
    lr = lr * len(PLACES) / N  # the loss is a sum per tree, not a mean over phrases
    return nodes, fit_one_batch(cls, PHRASES, y_phrases, lr, phrases_params, **params)


@pytest.mark.parametrize("pooling", sorted(POOLINGS))
@pytest.mark.parametrize("cell", sorted(CELLS))
def test_labelled_nodes_train_as_trees_of_their_own(cell, pooling):
    nodes, separate = fit_both(
        RecursiveNetClassifier, Y, split(MARKED), LABELS[PLACES], cell=cell, pooling=pooling
    )
    assert_equal_weights(nodes, separate)
    plain = fit_one_batch(
        RecursiveNetClassifier, X, Y, cell=cell, pooling=pooling, max_arity=2
    )  # the control
    assert (weights(plain) - weights(nodes)).abs().max() > 1e-3


def test_labelled_nodes_of_a_split_batch_train_as_trees_of_their_own():
    nodes, separate = fit_both(RecursiveNetClassifier, Y, split(MARKED), LABELS[PLACES], max_batch_nodes=60)
    assert_equal_weights(nodes, separate)
    np.testing.assert_allclose(
        nodes.history_.train_loss * N, separate.history_.train_loss * len(PLACES), rtol=1e-4
    )


def test_equal_subtrees_are_computed_once_in_these_laws():
    encoded = X[np.arange(N)]
    kind = quick(RecursiveNetClassifier).fit(X, Y).kind_
    assert kind.share_repeats(encoded, 10_000).subtrees is not None


@pytest.mark.parametrize("class_weight", [None, "balanced", {0: 0.5, 1: 2.0, 2: 1.0}])
@pytest.mark.parametrize("has_node_weight", [False, True])
def test_weights_of_samples_classes_and_nodes_are_multiplied(class_weight, has_node_weight):
    sample_weight, node_weight = RNG.rand(N), RNG.rand(N_NODES)
    product = np.repeat(sample_weight, SIZES) * (node_weight if has_node_weight else 1)
    own = {"node_sample_weight": split(node_weight)} if has_node_weight else {}
    nodes, separate = fit_both(
        RecursiveNetClassifier,
        Y,
        split(MARKED),
        LABELS[PLACES],
        {"sample_weight": sample_weight, **own},
        {"sample_weight": product[PLACES]},
        class_weight=class_weight,
    )
    assert_equal_weights(nodes, separate)
    assert (
        weights(nodes) - weights(fit_both(RecursiveNetClassifier, Y, split(MARKED), LABELS[PLACES])[0])
    ).any()


def test_labelled_nodes_of_several_outputs_train_as_trees_of_their_own():
    indicators = np.stack([LABELS > 0, LABELS > 1, RNG.rand(N_NODES) < 0.5], axis=1).astype(int)
    columns = np.stack([LABELS, indicators[:, 2]], axis=1)
    for targets in (indicators, columns):
        marked = np.where(IS_LABELLED[:, None], targets, -1)
        nodes, separate = fit_both(RecursiveNetClassifier, targets[STARTS], split(marked), targets[PLACES])
        assert_equal_weights(nodes, separate)
    rows = [[None if -1 in label else label for label in row] for row in split(marked)]
    assert_equal_weights(
        fit_one_batch(RecursiveNetClassifier, X, columns[STARTS], 0.05, {"node_y": rows}), nodes
    )


@pytest.mark.parametrize("n_columns", [None, 1, 2])
def test_numbers_of_nodes_train_as_trees_of_their_own(n_columns):
    numbers = RNG.randn(N_NODES, *([] if n_columns is None else [n_columns])) * 3 + 7
    marked = numbers.copy()
    marked[~IS_LABELLED] = np.nan
    nodes, separate = fit_both(RecursiveNetRegressor, numbers[STARTS], split(marked), numbers[PLACES])
    assert_equal_weights(nodes, separate)
    np.testing.assert_allclose(nodes.target_.mean, separate.target_.mean)


@pytest.mark.parametrize(
    ("cls", "y"), [(RecursiveNetClassifier, Y), (RecursiveNetRegressor, Y + 0.5)], ids=["classes", "numbers"]
)
@pytest.mark.parametrize("pooling", sorted(POOLINGS))
def test_without_labels_below_the_roots_the_fit_is_the_plain_one(cls, y, pooling):
    plain = quick(cls, pooling=pooling, cell="child_sum_lstm", batch_size=8, dropout=0.1).fit(X, y)
    roots = np.full(N_NODES, np.nan)
    roots[STARTS] = y
    for labels in ([None] * N, split(roots), split(np.full(N_NODES, None))):
        nodes = quick(cls, pooling=pooling, cell="child_sum_lstm", batch_size=8, dropout=0.1).fit(
            X, y, node_y=labels
        )
        assert_equal_weights(plain, nodes, rtol=5e-4)
        if pooling == "root":
            assert torch.equal(weights(plain), weights(nodes))


def test_the_order_of_the_samples_in_a_batch_does_not_matter():
    order, rows = RNG.permutation(N), split(MARKED)
    one = fit_one_batch(RecursiveNetClassifier, X, Y, 0.05, {"node_y": rows})
    two = fit_one_batch(
        RecursiveNetClassifier, X[order], Y[order], 0.05, {"node_y": [rows[i] for i in order]}
    )
    assert_equal_weights(one, two)
    other = split(np.where(MARKED == -1, -1, (MARKED + 1) % 3))  # the control
    mixed = fit_one_batch(RecursiveNetClassifier, X, Y, 0.05, {"node_y": other})
    assert (weights(one) - weights(mixed)).abs().max() > 1e-4


CONTAINERS = {
    "lists": split(MARKED),
    "tuple of tuples": tuple(tuple(row) for row in split(MARKED)),
    "None for -1": [[None if label == -1 else label for label in row] for row in split(MARKED)],
    "NaN for -1": split(np.where(MARKED == -1, np.nan, MARKED)),
    "arrays": np.split(MARKED, X.offsets[1:-1]),
    "object array": object_array(split(MARKED)),
    "Series": pd.Series(split(MARKED)),
    "RaggedArray": RaggedArray(np.zeros(N_NODES, dtype=int), X.offsets).replace(values=MARKED),
    "flat array": MARKED,
    "flat list": MARKED.tolist(),
    "flat Series": pd.Series(MARKED),
    "flat tensor": torch.tensor(MARKED),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_every_container_of_labels_gives_the_same_fit(name):
    expected = quick(RecursiveNetClassifier).fit(X, Y, node_y=CONTAINERS["lists"])
    clf = quick(RecursiveNetClassifier).fit(X, Y, node_y=CONTAINERS[name])
    assert torch.equal(weights(clf), weights(expected))
    assert clf.classes_.dtype == expected.classes_.dtype


def test_texts_as_labels_give_the_same_fit_as_their_numbers():
    names = np.array(["a", "b", "longer"], dtype=object)
    texts = [[None if label == -1 else names[label] for label in row] for row in split(MARKED)]
    clf = quick(RecursiveNetClassifier).fit(X, names[Y], node_y=texts)
    assert torch.equal(weights(clf), weights(quick(RecursiveNetClassifier).fit(X, Y, node_y=split(MARKED))))
    assert clf.classes_.tolist() == ["a", "b", "longer"]
    ragged = RaggedArray.from_sequences([[names[label] for label in row] for row in split(LABELS)])
    one, two = (
        quick(RecursiveNetClassifier).fit(X, names[Y].astype(str), node_y=y) for y in (ragged, names[LABELS])
    )
    assert torch.equal(weights(one), weights(two))


def test_trees_of_one_size_accept_a_table_of_labels():
    trees, labels = ["(S a b)", "(S b a)"] * 4, np.array([[0, 1, 0], [1, 0, 1]] * 4)
    one, two, three = (
        quick(RecursiveNetClassifier).fit(trees, labels[:, 0], node_y=y)
        for y in (labels, labels.tolist(), labels.ravel())
    )
    assert torch.equal(weights(one), weights(two))
    assert torch.equal(weights(one), weights(three))
    leaves = [Tree(["a"], [-1]), Tree(["b"], [-1])] * 4
    one, two = (
        quick(RecursiveNetClassifier).fit(leaves, [0, 1] * 4, node_y=y * 4) for y in ([[0], [1]], [0, 1])
    )
    assert torch.equal(weights(one), weights(two))


def test_minus_1_is_a_label_if_it_is_a_class():
    y = np.where(Y > 0, 1, -1)
    labels = np.where(LABELS > 0, 1.0, -1.0)
    clf = quick(RecursiveNetClassifier).fit(X, y, node_y=split(labels))
    names = np.array(["no", "yes"])
    named = quick(RecursiveNetClassifier).fit(X, names[(y + 1) // 2], node_y=split(names[(LABELS > 0) * 1]))
    assert torch.equal(weights(clf), weights(named))
    assert clf.classes_.tolist() == [-1, 1]
    assert clf.classes_.dtype == y.dtype


def test_classes_of_nodes_only_are_learned():
    clf = quick(RecursiveNetClassifier).fit(
        X, np.where(Y > 0, 1, 0), node_y=split(np.where(IS_LABELLED, 7, -1))
    )
    assert clf.classes_.tolist() == [0, 1, 7]


# Errors.


def change(row, label):
    """Return the labels with another one at node 1 of a row."""
    rows = split(MARKED)
    rows[row][1] = label
    return rows


@pytest.mark.parametrize(
    ("node_y", "match"),
    [
        (split(MARKED)[:-1], r"node_y must have one sequence per sample of X \(40\) or one label per node"),
        (
            [[0], *split(MARKED)[1:]],
            r"node_y\[0\] must have one label per node of X\[0\], \d+, got 1: pass the",
        ),
        ([3, *split(MARKED)[1:]], r"node_y\[0\] must have one label per node of X\[0\], \d+, got 3"),
        (["ab", *split(MARKED)[1:]], r"node_y\[0\] must have one label per node of X\[0\], \d+, got 'ab'"),
        ("labels", "node_y must hold one sequence of labels per tree, got str"),
        (3, "node_y must hold one sequence of labels per tree, got int"),
        (change(5, "bad"), r"node_y\[5\]\[1\] must be a number like those in y or None, got 'bad'"),
        (change(5, 0.5), r"node_y\[5\]\[1\] must be a target like those in y or None, got 0.5"),
        (change(5, np.inf), r"node_y\[5\]\[1\] must be a target like those in y or None, got inf"),
        (
            split(np.full(N_NODES, 9)),
            r"node_y\[0\]\[0\] must equal y\[0\] or be None: the root has the target",
        ),
    ],
    ids=range(10),
)
def test_errors_of_labels_name_the_row_and_the_node(node_y, match):
    clf = quick(RecursiveNetClassifier)
    with pytest.raises((TypeError, ValueError), match=match):
        clf.fit(X, Y, node_y=node_y)
    assert not hasattr(clf, "net_")


def test_errors_of_texts_columns_and_weights_name_the_row_and_the_node():
    names = np.array(["a", "b", "c"])
    with pytest.raises(ValueError, match=r"node_y\[0\]\[0\] must be a str like those in y or None, got 1"):
        quick(RecursiveNetClassifier).fit(X, names[Y], node_y=split(np.ones(N_NODES, dtype=int)))
    two = np.stack([LABELS, LABELS], axis=1)
    half = two.copy()
    half[2, 0] = -1
    with pytest.raises(ValueError, match=r"node_y\[0\]\[2\] must be labelled in all columns or in none"):
        quick(RecursiveNetClassifier).fit(X, two[STARTS], node_y=split(half))
    with pytest.raises(ValueError, match=r"node_y\[0\]\[0\] must have 2 columns or be None, got 0"):
        quick(RecursiveNetClassifier).fit(X, two[STARTS], node_y=[[0] * size for size in SIZES])
    weight = np.ones(N_NODES)
    weight[2] = -1
    with pytest.raises(
        ValueError, match=r"node_sample_weight\[0\]\[2\] must be a finite number >= 0, got -1.0"
    ):
        quick(RecursiveNetClassifier).fit(X, Y, node_y=split(LABELS), node_sample_weight=split(weight))
    with pytest.raises(ValueError, match="node_sample_weight must not be zero at all labelled nodes"):
        quick(RecursiveNetClassifier).fit(X, Y, node_y=split(LABELS), node_sample_weight=split(weight * 0))


def test_masked_labels_and_weights_are_refused():
    rows, mask = [np.ma.masked_array(row) for row in split(LABELS + 1.0)], np.arange(N_NODES) == STARTS[1]
    assert quick(RecursiveNetClassifier).fit(X, Y + 1.0, node_y=rows, node_sample_weight=rows).n_iter_ == 2
    flat = np.ma.masked_array(LABELS, mask=mask)
    rows[1][2] = np.ma.masked
    for masked, row in ((flat, STARTS[1]), (rows, 1), ([list(row) for row in rows], r"1\]\[2")):
        for name in ("node_y", "node_sample_weight"):
            given = {"node_y": split(MARKED), name: masked}
            with pytest.raises(
                ValueError, match=rf"{name}.* must not have masked entries, .*{name}\[{row}\]"
            ):
                quick(RecursiveNetClassifier).fit(X, Y, **given)


def test_a_missing_weight_of_a_node_is_1():
    labels, weight = split(LABELS), split(np.where(IS_LABELLED, 1.0, 2.0))
    weight[0] = [1.0] * SIZES[0]
    expected = quick(RecursiveNetClassifier).fit(X, Y, node_y=labels, node_sample_weight=weight)
    missing = [None, *([None if number == 1 else number for number in row] for row in weight[1:])]
    clf = quick(RecursiveNetClassifier).fit(X, Y, node_y=labels, node_sample_weight=missing)
    assert torch.equal(weights(clf), weights(expected))
    with pytest.raises(
        ValueError, match=r"node_sample_weight\[0\]\[0\] must be a finite number >= 0, got nan"
    ):
        clf.fit(X, Y, node_y=labels, node_sample_weight=split(np.full(N_NODES, np.nan)))


def test_weights_and_validation_labels_require_what_they_belong_to():
    clf, rows = quick(RecursiveNetClassifier), split(MARKED)
    with pytest.raises(ValueError, match="node_sample_weight must be given together with node_y"):
        clf.fit(X, Y, node_sample_weight=rows)
    with pytest.raises(ValueError, match="node_y_val must be given together with node_y"):
        clf.fit(X, Y, X_val=X, y_val=Y, node_y_val=rows)
    with pytest.raises(ValueError, match="node_y_val must be given together with X_val and y_val"):
        clf.fit(X, Y, node_y=rows, node_y_val=rows)
    with pytest.raises(ValueError, match=r"node_y_val\[0\] must have one label per node of X_val\[0\]"):
        clf.fit(X, Y, X_val=X, y_val=Y, node_y=rows, node_y_val=[[0]] * N)
    with pytest.raises(ValueError, match=r"y_val must have one entry per sample of X_val, got 39"):
        clf.fit(X, Y, X_val=X, y_val=Y[1:], node_y=rows, node_y_val=rows)


# Validation, continued training and pipelines.


def test_validation_scores_roots_or_nodes():
    params = {"node_y": split(MARKED), "X_val": X, "y_val": Y}
    roots = quick(RecursiveNetClassifier).fit(X, Y, **params)
    assert roots.history_.valid_score.iloc[-1] == pytest.approx(roots.score(X, Y))
    nodes = quick(RecursiveNetClassifier).fit(X, Y, **params, node_y_val=split(MARKED))
    assert torch.equal(weights(roots), weights(nodes))
    predicted = nodes.predict_nodes(X).prediction.to_numpy()
    assert nodes.history_.valid_score.iloc[-1] == pytest.approx(np.mean(predicted[PLACES] == LABELS[PLACES]))


def test_early_stopping_holds_out_node_labels():
    clf = quick(RecursiveNetClassifier, early_stopping=True, max_epochs=30, patience=1, lr=0.05)
    clf.fit(X, Y, node_y=split(MARKED), sample_weight=np.ones(N))
    assert clf.n_iter_ < 30
    assert clf.history_.valid_loss.notna().all()


def test_partial_fit_and_warm_start_continue_with_node_labels():
    rows = split(MARKED)
    params = {"optimizer": "sgd", "weight_decay": 0.0, "batch_size": N, "max_epochs": 1}
    steps = quick(RecursiveNetClassifier, **params)
    for _ in range(2):
        steps.partial_fit(X, Y, classes=[0, 1, 2], node_y=rows)
    whole = quick(RecursiveNetClassifier, **params).set_params(max_epochs=2).fit(X, Y, node_y=rows)
    assert_equal_weights(steps, whole)
    warm = quick(RecursiveNetClassifier, **params, warm_start=True)
    assert_equal_weights(warm.fit(X, Y, node_y=rows).fit(X, Y, node_y=rows), whole)
    with pytest.raises(ValueError, match=r"node_y\[5\]\[1\] must be a target like those in y or None, got 9"):
        steps.partial_fit(X, Y, node_y=change(5, 9))
    weighted = clone(steps).partial_fit(X, Y, node_y=rows, node_sample_weight=split(np.full(N_NODES, 2.0)))
    assert (weights(weighted) - weights(clone(steps).partial_fit(X, Y, node_y=rows))).abs().max() > 1e-4


def test_pipelines_and_searches_route_node_labels():
    rows = split(MARKED)
    net = quick(RecursiveNetClassifier)
    plain = make_pipeline(TreeVectorizer(), clone(net)).fit(RAW, Y, recursivenetclassifier__node_y=rows)
    with sklearn.config_context(enable_metadata_routing=True):
        routed = make_pipeline(TreeVectorizer(), clone(net).set_fit_request(node_y=True))
        search = GridSearchCV(routed, {"recursivenetclassifier__hidden_size": [8]}, cv=2)
        routed.fit(RAW, Y, node_y=rows)
        search.fit(RAW, Y, node_y=rows)
    assert torch.equal(weights(routed[-1]), weights(plain[-1]))
    assert torch.equal(weights(search.best_estimator_[-1]), weights(plain[-1]))
    assert np.isfinite(search.cv_results_["mean_test_score"]).all()
    ragged = CONTAINERS["RaggedArray"]
    GridSearchCV(clone(net), {"hidden_size": [8]}, cv=2, error_score="raise").fit(X, Y, node_y=ragged)


def test_labels_are_aligned_with_trees_that_a_vectorizer_changes():
    trees = ["(S (NP the big dog) (VP (VB runs)))"] * 8
    labels = [["s", "np", "the", "big", "dog", "vp", "vb", "runs"]] * 8
    vectorizer = TreeVectorizer(collapse_unary=True, binarize="right")
    pipe = make_pipeline(vectorizer, quick(RecursiveNetClassifier))
    with pytest.raises(
        ValueError, match=r"node_y\[0\] must have one label per node of X\[0\], .*align_nodes"
    ):
        pipe.fit(trees, ["s"] * 8, recursivenetclassifier__node_y=[[*row, "x"] for row in labels])
    aligned = vectorizer.align_nodes(trees, labels)
    assert aligned[0] == ["s", "np", "the", None, "big", "dog", "vp", "runs"]
    pipe.fit(trees, ["s"] * 8, recursivenetclassifier__node_y=aligned)
    assert predict_nodes(pipe, trees[:1]).label.tolist()[1:3] == ["NP", "the"]
    truncated = TreeVectorizer(max_nodes=3)
    assert truncated.align_nodes(trees[:1], labels[:1])[0] == ["s", "np", "vp"]


def test_fitted_estimators_are_copied_and_explained():
    clf = quick(RecursiveNetClassifier).fit(RAW, Y, node_y=split(MARKED))
    loaded = pickle.loads(pickle.dumps(clf))
    np.testing.assert_array_equal(loaded.predict_proba(RAW), clf.predict_proba(RAW))
    assert len(pickle.dumps(clf)) == len(pickle.dumps(quick(RecursiveNetClassifier).fit(RAW, Y % 3)))
    assert not hasattr(clone(clf), "net_")
    frame = CaptumExplainer(clf).fit(RAW).explain(RAW[:2]).to_frame()
    assert len(frame) == SIZES[:2].sum()


def test_tables_have_nodes_too():
    table = RNG.rand(12, 3)
    labels = np.tile([0, 1, -1, 0], (12, 1))
    assert quick(RecursiveNetClassifier).fit(table, [0] * 12, node_y=labels).classes_.tolist() == [0, 1]


def test_labels_of_phrases_teach_negation():
    train, test = make_negation(150, random_state=1), make_negation(150, random_state=2)
    labels = [np.sign(scores) for scores in train.phrase_scores]
    params = {"random_state": 0, "max_epochs": 30, "hidden_size": 32, "cell": "nary_lstm"}
    y, y_test = np.sign(train.scores), np.sign(test.scores)
    nodes = RecursiveNetClassifier(**params).fit(train.data, y, node_y=labels)
    plain = RecursiveNetClassifier(**params).fit(train.data, y)
    assert nodes.score(test.data, y_test) > plain.score(test.data, y_test) + 0.1


def test_labels_of_the_nodes_of_pairs_are_refused():
    pairs = pd.DataFrame({"a": RAW[:4], "b": RAW[4:8]})
    clf = quick(RecursiveNetClassifier)
    with pytest.raises(ValueError, match="node_y must be None if X holds pairs"):
        clf.fit(pairs, [0, 1] * 2, node_y=[[0]] * 4)
    assert clf.fit(pairs, [0, 1] * 2).classes_.tolist() == [0, 1]  # the control
