"""Estimators in the files of skops, MLflow and the Hugging Face hub."""

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from samples import BRACKETS, TEXTS, Y, quick
from sklearn.feature_selection import VarianceThreshold
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, StandardScaler

import sklearn_tree
from sklearn_tree import RecursiveNetClassifier, RNNClassifier, TreeVectorizer

TESTS = Path(__file__).parent.parent
MLFLOW = """
import sys
import mlflow, mlflow.sklearn
import numpy as np, pandas as pd
from samples import BRACKETS, Y, quick
from sklearn.pipeline import make_pipeline
import sklearn_tree
from sklearn_tree import RecursiveNetClassifier, TreeVectorizer
mlflow.set_tracking_uri(f"file://{sys.argv[1]}")
pipe = make_pipeline(TreeVectorizer(), quick(RecursiveNetClassifier)).fit(BRACKETS, Y)
with mlflow.start_run():
    info = mlflow.sklearn.log_model(
        pipe, name="model", skops_trusted_types=sklearn_tree.TRUSTED_TYPES, pip_requirements=["sklearn-tree"]
    )
loaded = mlflow.sklearn.load_model(info.model_uri)
np.testing.assert_array_equal(loaded.predict_proba(BRACKETS), pipe.predict_proba(BRACKETS))
scorer = mlflow.pyfunc.load_model(info.model_uri)
np.testing.assert_array_equal(scorer.predict(pd.DataFrame({"tree": BRACKETS})), pipe.predict(BRACKETS))
print("loaded")
"""


@pytest.mark.parametrize(
    ("make", "X"),
    [
        (lambda: make_pipeline(TreeVectorizer(), quick(RecursiveNetClassifier)), BRACKETS),
        (
            lambda: make_pipeline(StandardScaler(), VarianceThreshold(), quick(RNNClassifier)),
            np.random.RandomState(0).rand(len(Y), 3),
        ),
    ],
)
def test_skops_needs_to_trust_our_types_only(make, X):
    skops = pytest.importorskip("skops.io")
    estimator = make().fit(X, Y)
    loaded = skops.loads(skops.dumps(estimator), trusted=sklearn_tree.TRUSTED_TYPES)
    np.testing.assert_array_equal(loaded.predict_proba(X), estimator.predict_proba(X))


def test_skops_still_refuses_functions():  # the control
    skops = pytest.importorskip("skops.io")
    pipe = make_pipeline(FunctionTransformer(os.getcwd), quick(RNNClassifier))
    with pytest.raises(TypeError, match="Untrusted types"):
        skops.loads(skops.dumps(pipe), trusted=sklearn_tree.TRUSTED_TYPES)


@pytest.mark.slow
def test_mlflow_logs_and_loads_a_pipeline_by_skops(tmp_path):
    pytest.importorskip("mlflow")
    command = [sys.executable, "-c", MLFLOW, str(tmp_path / "store")]
    env = {**os.environ, "PYTHONPATH": f"{TESTS}:{TESTS.parent}", "MLFLOW_ALLOW_FILE_STORE": "true"}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=env, cwd=tmp_path)
    assert done.stdout.endswith("loaded\n"), done.stderr
    assert [*(tmp_path / "store").rglob("model.skops")]
    assert not [*(tmp_path / "store").rglob("*.pkl")]


def test_the_recipe_for_the_hub_writes_a_folder(tmp_path):
    hub = pytest.importorskip("huggingface_hub")
    card = pytest.importorskip("skops.card")

    class HubModel(hub.ModelHubMixin):
        """The recipe of the guide."""

        def __init__(self, estimator):
            self.estimator = estimator

        def _save_pretrained(self, save_directory):
            sklearn_tree.save(self.estimator, save_directory / "model.safetensors")
            card.Card(self.estimator).save(save_directory / "README.md")

        @classmethod
        def _from_pretrained(cls, *, model_id, **options):
            return cls(sklearn_tree.load(Path(model_id) / "model.safetensors"))

    net = quick(RNNClassifier).fit(TEXTS, Y)
    HubModel(net).save_pretrained(tmp_path / "film")
    loaded = HubModel.from_pretrained(tmp_path / "film").estimator
    np.testing.assert_array_equal(loaded.predict_proba(TEXTS), net.predict_proba(TEXTS))
    assert "RNNClassifier" in (tmp_path / "film" / "README.md").read_text()
