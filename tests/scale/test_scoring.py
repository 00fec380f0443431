"""Scoring of frames of Spark, Ray, dask, polars and pyarrow by a :class:`Scorer`."""

import os
import shutil

import numpy as np
import pandas as pd
import polars as pl
import pytest
from samples import TEXTS, WAVES, Y, quick

from sklearn_tree import RNNClassifier, Scorer, save

FRAME = pd.DataFrame({"number": np.arange(len(TEXTS)), "text": TEXTS})
SCHEMA = "prediction long, proba_0 float, proba_1 float"
NAMES = ["prediction", "proba_0", "proba_1"]


@pytest.fixture(scope="module")
def net():
    return quick(RNNClassifier).fit(TEXTS, Y)


@pytest.fixture(scope="module")
def path(net, tmp_path_factory):
    path = tmp_path_factory.mktemp("models") / "net.safetensors"
    save(net, path)
    return str(path)


def assert_scores(scored, net, X=TEXTS):
    """Check predictions exactly, and probabilities up to the rounding that other batches cause."""
    assert list(scored) == NAMES
    np.testing.assert_array_equal(scored.prediction, net.predict(X))
    np.testing.assert_allclose(scored[NAMES[1:]].to_numpy(float), net.predict_proba(X), atol=1e-6)


# Spark.


def test_the_contract_of_map_in_pandas_is_kept(path, net):
    batches = (FRAME[i : i + 10] for i in range(0, len(FRAME), 10))
    scored = Scorer(path, column="text").map(batches)
    first = next(scored)
    assert len(next(batches)) == 10  # batches are read when they are needed
    assert isinstance(first, pd.DataFrame)
    assert_scores(first, net, TEXTS[:10])


@pytest.mark.filterwarnings("ignore")  # Spark 4 calls what pandas 3 deprecates
def test_map_in_pandas_of_spark_scores_partitions(path, net):
    sql = pytest.importorskip("pyspark.sql")
    if shutil.which("java") is None:
        pytest.skip("Spark needs Java")
    settings = {"spark.ui.enabled": "false", "spark.sql.shuffle.partitions": "2"}
    session = sql.SparkSession.builder.master("local[2]").config(map=settings).getOrCreate()
    try:
        spark_frame = session.createDataFrame(FRAME).repartitionByRange(2, "number")
        scored = spark_frame.mapInPandas(Scorer(path, column="text", device="cpu").map, SCHEMA)
        assert_scores(scored.toPandas(), net)
    finally:
        session.stop()


# Ray, which sets options that it deprecates itself.


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ray_scores_batches_in_an_actor(ray, path, net):
    scored = ray.data.from_pandas(FRAME).map_batches(
        Scorer, fn_constructor_args=(path, "text"), compute=ray.data.ActorPoolStrategy(size=1), batch_size=10
    )
    assert_scores(scored.to_pandas(), net)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_ray_scores_batches_of_pyarrow_in_tasks(ray, path, net):
    scored = ray.data.from_pandas(FRAME).map_batches(
        Scorer(path, column="text"), batch_format="pyarrow", batch_size=10
    )
    assert_scores(scored.to_pandas(), net)


# dask.


def test_dask_scores_partitions_in_worker_processes(dask_client, path, net):
    dataframe = pytest.importorskip("dask.dataframe")
    scorer = Scorer(path, column="text")
    parts = dataframe.from_pandas(FRAME, npartitions=3)
    scored = parts.map_partitions(scorer, meta=scorer(FRAME[:0]))
    assert_scores(scored.compute(), net)
    processes = parts.map_partitions(lambda part: pd.DataFrame({"process": [os.getpid()]})).compute()
    assert os.getpid() not in processes.process.tolist()


def test_the_meta_of_dask_has_the_types_of_the_results(dask_client, path):
    dataframe = pytest.importorskip("dask.dataframe")
    scorer = Scorer(path, column="text")
    scored = dataframe.from_pandas(FRAME, npartitions=3).map_partitions(scorer, meta=scorer(FRAME[:0]))
    assert scored.dtypes.equals(scored.compute().dtypes)
    assert scored.dtypes.to_dict() != FRAME.dtypes.to_dict()


# polars and pyarrow.


def arrow_batches(frame):
    """Return a frame as a table, a table of several chunks and a record batch."""
    pa = pytest.importorskip("pyarrow")
    table = pa.Table.from_pandas(frame)
    chunks = pa.concat_tables([table[:7], table[7:]])
    return {"table": table, "chunks": chunks, "batch": table.to_batches()[0]}


@pytest.mark.parametrize("name", ["table", "chunks", "batch"])
def test_tables_of_pyarrow_are_scored_like_frames(path, net, name):
    assert_scores(Scorer(path, column="text")(arrow_batches(FRAME)[name]), net)
    texts = arrow_batches(FRAME[["text"]])[name]
    assert_scores(Scorer(path)(texts), net)
    if name != "batch":
        assert_scores(Scorer(path)(texts["text"]), net)


def test_frames_of_polars_are_scored_like_frames(path, net):
    frame = pl.from_pandas(FRAME)
    assert_scores(Scorer(path, column="text")(frame), net)
    scored = pd.concat(Scorer(path, column="text").map(frame.iter_slices(10)))
    assert_scores(scored, net)


@pytest.mark.parametrize("columns", [["a", "b"], None])
def test_columns_of_pairs_are_scored_from_every_frame(tmp_path, columns):
    frame = pd.DataFrame({"a": TEXTS, "b": TEXTS[::-1]})
    net = quick(RNNClassifier).fit(frame, Y)
    save(net, tmp_path / "net")
    for batch in (frame, pl.from_pandas(frame), arrow_batches(frame)["table"]):
        assert_scores(Scorer(tmp_path / "net", columns)(batch), net, frame)


def test_series_of_several_channels_are_scored_from_every_frame(tmp_path):
    pa = pytest.importorskip("pyarrow")
    net = quick(RNNClassifier).fit(WAVES, Y)
    save(net, tmp_path / "net")
    table = pa.table({"wave": [wave.tolist() for wave in WAVES]})
    for batch in (table, table.to_pandas(), pl.from_arrow(table)):
        assert_scores(Scorer(tmp_path / "net", "wave")(batch), net, WAVES)
