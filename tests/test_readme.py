"""README and guide: first line, code blocks and pinned dependencies."""

import re
from pathlib import Path

ROOT = Path(__file__).parents[1]


def test_first_line_names_the_subject_and_excludes_decision_trees():
    first = (ROOT / "README.md").read_text().splitlines()[0]
    assert "trees, sequences and images" in first
    assert "not about decision trees" in first


def test_readme_code_runs(capsys):
    blocks = re.findall(r"```python\n(.*?)```", (ROOT / "README.md").read_text(), re.S)
    assert len(blocks) == 3
    names: dict = {}
    for block in blocks:
        exec(compile(block, "README.md", "exec"), names)
    shown = capsys.readouterr().out.splitlines()
    assert shown[0] == "['good']"  # as in the comment of the block
    assert shown[1] == "Explanations(2 rows, method='occlusion')"
    assert "hidden_size" in shown[-1]


def test_constraints_satisfy_the_ranges():
    import tomllib

    from packaging.requirements import Requirement

    pins = dict(line.strip().split("==") for line in (ROOT / "constraints.txt").read_text().split())
    pins = {name.lower().replace("_", "-"): version for name, version in pins.items()}
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = [r for group in project["optional-dependencies"].values() for r in group]
    for requirement in map(Requirement, project["dependencies"] + extras):
        if requirement.name != "sklearn-tree":
            assert requirement.specifier.contains(pins[requirement.name.lower().replace("_", "-")]), (
                requirement
            )
