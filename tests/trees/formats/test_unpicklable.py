"""Trees that cannot be pickled raise a helpful error on the way to another process or a cache."""

import copy
import pickle
import traceback

import pytest
from joblib import Memory
from lxml import etree, html
from sklearn.model_selection import GridSearchCV
from sklearn.pipeline import make_pipeline

from sklearn_tree import RecursiveNetClassifier, TreeArray, TreeVectorizer

tree_sitter = pytest.importorskip("tree_sitter")
language = tree_sitter.Language(pytest.importorskip("tree_sitter_python").language())


def elements(tag="b"):
    return [etree.fromstring(f"<a><{tag}{i % 2}/></a>") for i in range(8)]


SOURCES = {
    "lxml": elements,
    "lxml.html": lambda: [html.fromstring("<p>a<b>c</b></p>") for _ in range(8)],
    "tree-sitter": lambda: [tree_sitter.Parser(language).parse(b"x = 1").root_node for _ in range(8)],
}
Y = [0, 1] * 4


def net():
    return RecursiveNetClassifier(hidden_size=2, embedding_dim=2, max_epochs=1, random_state=0)


@pytest.mark.parametrize("source", list(SOURCES))
@pytest.mark.parametrize(
    "estimator", [net(), make_pipeline(TreeVectorizer(), net())], ids=["net", "pipeline"]
)
def test_a_parallel_search_advises_to_vectorize_first(source, estimator):
    X = SOURCES[source]()
    name = (
        "batch_size"
        if isinstance(estimator, RecursiveNetClassifier)
        else "recursivenetclassifier__batch_size"
    )
    search = GridSearchCV(estimator, {name: [4, 8]}, n_jobs=2, cv=2)
    with pytest.raises(pickle.PicklingError) as caught:
        search.fit(X, Y)
    assert "vectorize first, X = TreeArray.from_trees(X)" in "".join(traceback.format_exception(caught.value))
    assert search.fit(TreeArray.from_trees(X), Y).n_splits_ == 2  # the advice works


def test_a_cache_does_not_confuse_lists_of_trees(tmp_path):
    pipe = make_pipeline(TreeVectorizer(), net(), memory=Memory(tmp_path, verbose=0))
    for tag in "bc":
        with pytest.raises(pickle.PicklingError, match="vectorize first"):
            pipe.fit(elements(tag), Y)
        pipe.fit(TreeArray.from_trees(elements(tag)), Y)
        assert f"{tag}0" in pipe[0].vocabulary_  # the control


def test_elements_can_still_be_copied():
    assert etree.tostring(copy.deepcopy(elements()[0])) == b"<a><b0/></a>"
