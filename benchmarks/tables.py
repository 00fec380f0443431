"""Tables of the documentation, made from the results of ``accuracy.py``, ``defaults.py`` and ``gpu.py``.

Run ``python benchmarks/tables.py`` after the results have changed. It writes ``docs/tables/*.csv``,
which its pages include. A test compares the files with the results.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

ROOT = Path(__file__).parents[1]
RESULTS = ROOT / "benchmarks" / "results"
TABLES = ROOT / "docs" / "tables"

# Problems of each kind of data; those with few training samples have a table of their own.
PROBLEMS = {
    "texts": ["TREC", "MR", "SST-2", "SST-5", "EWT genre as texts", "GUM sentence type as texts"],
    "trees": [
        "GUM sentence_type, constituency",
        "GUM sentence_type, dependency",
        "GUM genre, constituency",
        "GUM genre, dependency",
        "EWT genre",
        "TREC dependencies",
        "SST-2 trees",
        "SST-5 trees",
        "verbs",
        "mutagenesis",
        "negation",
        "ListOps",
        "logic",
        "quantifiers",
    ],
    "series": ["ArrowHead", "GunPoint", "ItalyPowerDemand", "BasicMotions", "ACSF1", "distant steps"],
    "images": ["digits", "shapes", "textures"],
    "tables": ["iris", "breast cancer"],
    "small": [
        "TREC, 200",
        "MR, 200",
        "GUM genre, dependency, 200",
        "EWT genre, 200",
        "digits, 200",
        "shapes, 200",
    ],
}
# The settings of pairs in ``defaults.csv`` that are the default parameters.
PAIRS = {
    "same question": "pairs, hidden layer, dropout .2",
    "more positive": "pairs, hidden layer, dropout .2",
    "logic pairs": "pairs, hidden layer",
    "quantifier pairs": "pairs, hidden layer",
    "agreement": "pairs, hidden layer",
}
README = [
    "negation",
    "logic",
    "GUM sentence type, constituency",
    "SST-2 trees",
    "TREC",
    "MR",
    "GunPoint",
    "digits",
    "breast cancer",
]
NAMES = {"CNNClassifier": "CNN", "RNNClassifier": "RNN", "RecursiveNetClassifier": "recursive"}


def compare_on_test_parts(problems: list[str]) -> pd.DataFrame:
    """Return the means over seeds of nets with default parameters, and the most accurate baseline.

    The gain is the difference of the accuracies, with the standard error of the paired difference. A side is
    better if the gain exceeds it. The log loss of the baseline is that of the linear model.
    """
    results = pd.read_csv(RESULTS / "accuracy.csv")
    is_baseline = results.model.str.startswith("baseline")
    rows = []
    for problem in problems:
        baselines = results[is_baseline & (results.problem == problem)]
        for model, net in results[~is_baseline & (results.problem == problem)].groupby("model", sort=False):
            mean = net.mean(numeric_only=True)
            gain, error = mean["accuracy gain"], mean["accuracy error"]
            rows.append(
                {
                    "Problem": problem.replace("_", " "),
                    "Net": NAMES[model],
                    "Baseline": format_number(mean.accuracy - gain),
                    "Accuracy": format_number(mean.accuracy),
                    "Gain (error)": f"{gain:+.3f} ({error:.3f})",
                    "Better": "net" if gain > error else "baseline" if gain < -error else "equal",
                    "Log loss, linear": format_number(baselines.log_loss.iloc[-1]),
                    "Log loss, net": format_number(mean.log_loss),
                }
            )
    return pd.DataFrame(rows)


def make_readme_table() -> str:
    """Return the table of the README: one net for each of some problems."""
    tables = pd.concat([compare_on_test_parts(problems) for problems in PROBLEMS.values()])
    rows = tables.drop_duplicates("Problem").set_index("Problem").loc[README].reset_index()
    columns = ["Problem", "Net", "Baseline", "Accuracy", "Better"]
    lines = [columns, ["---"] * len(columns), *rows[columns].to_numpy().tolist()]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def compare_pairs() -> pd.DataFrame:
    """Return the accuracies on pairs, means over the seeds of the study."""
    results = pd.read_csv(RESULTS / "defaults.csv", keep_default_na=False)
    rows = []
    for problem, setting in PAIRS.items():
        part = results[results.problem == problem]
        baseline = part[part.model == "baseline"]
        for model, net in part[part.setting == setting].groupby("model", sort=False):
            rows.append(
                {
                    "Problem": problem,
                    "Net": NAMES[model],
                    "Baseline": format_number(baseline.accuracy.mean()),
                    "Accuracy": format_number(net.accuracy.mean()),
                    "Log loss, linear": format_number(baseline.log_loss.mean()),
                    "Log loss, net": format_number(net.log_loss.mean()),
                }
            )
    return pd.DataFrame(rows)


def compare_devices() -> pd.DataFrame:
    """Return the samples per second of fits on a GPU and on all cores of its machine."""
    rows, width = [], "default"
    for line in (RESULTS / "gpu_h100.txt").read_text().splitlines():
        if line.startswith("torch"):
            width = line.partition("'hidden_size': ")[2].rstrip("}") or "default"
            continue
        name, rest = line[:14].strip(), line[14:]
        batch_size, device, numbers = rest[:6].strip(), rest[8:30].strip(), rest[30:].split()
        if device == "CPU, all threads":
            cpu = int(numbers[0])
        elif device == "GPU":
            gpu = int(numbers[0])
            speed = f"{gpu / cpu:.1f}"
            rows.append([name, width, batch_size, f"{cpu:,}", f"{gpu:,}", speed])
    return pd.DataFrame(rows, columns=["Workload", "Units", "Batch", "16 cores", "GPU", "GPU / cores"])


def format_number(x: float) -> str:
    """Return a number with three decimals; an accuracy of 1 and larger numbers have two."""
    return f"{x:.3f}" if x < 0.9995 else f"{x:.2f}"


def make_tables() -> dict[str, str]:
    """Return the text of each file by its name."""
    tables = {name: compare_on_test_parts(problems) for name, problems in PROBLEMS.items()}
    tables["pairs"], tables["devices"] = compare_pairs(), compare_devices()
    return {f"{name}.csv": table.to_csv(index=False, lineterminator="\n") for name, table in tables.items()}


if __name__ == "__main__":
    TABLES.mkdir(exist_ok=True)
    for name, text in make_tables().items():
        (TABLES / name).write_text(text)
