"""The code of the page "Large data" runs, block after block, as one script."""

from pages import ROOT, code_of, run


def test_the_code_of_the_page_runs(tmp_path):
    code = code_of((ROOT / "docs" / "large_data.rst").read_text())
    assert "to_batches" in code
    done = run(code, tmp_path)
    assert not done.returncode, done.stderr
    assert {path.name for path in tmp_path.iterdir()} >= {
        "trees.safetensors",
        "trees.parquet",
        "brackets.parquet",
    }
