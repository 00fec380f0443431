"""Make the virtual environments of the peers, one for each set of packages that agree.

Run ``python benchmarks/peers/install.py --to DIR``. What is there already is left alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

# The packages of each environment; those of the second tuple go in without what they ask for.
ENVIRONMENTS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "fold": (("numpy==2.4.6", "torch==2.13.0"), ("torchfold==0.1", "pytorch-tree-lstm==0.1.3")),
    "dynet": (("numpy==2.4.6", "dynet38==2.2"), ()),
    "keras": (("keras==3.15.1", "tensorflow-cpu==2.21.0"), ()),
    "dgl": (
        (
            "networkx==3.2.1",
            "numpy==1.26.4",
            "pandas==2.2.3",
            "psutil==7.0.0",
            "requests==2.32.3",
            "scipy==1.13.1",
            "torch==2.13.0",
            "tqdm==4.67.1",
        ),
        ("dgl==2.1.0", "setuptools==69.5.1"),
    ),
}


def main() -> None:
    """Parse the options and make what is missing."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / ".venvs")
    folder = parser.parse_args().to
    for name, (packages, alone) in ENVIRONMENTS.items():
        make(folder / name, packages, alone)


def make(venv: Path, packages: tuple[str, ...], alone: tuple[str, ...]) -> None:
    """Make one environment, unless it holds these packages."""
    wanted = "\n".join(packages + alone)
    done = venv / "packages.txt"
    if done.exists() and done.read_text() == wanted:
        print(f"{venv} is there")
        return
    print(f"{venv} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *packages], check=True)
    if alone:
        subprocess.run([*pip, "--no-deps", *alone], check=True)
    done.write_text(wanted)


if __name__ == "__main__":
    main()
