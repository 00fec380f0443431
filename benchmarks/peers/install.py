"""Installer of the peers: one virtual environment for each set of compatible packages.

Run ``python benchmarks/peers/install.py --to DIR``. Existing environments are kept.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path

# Packages of each environment; those in the second tuple are installed without their dependencies.
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
    """Parse the options and make the missing environments."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--to", type=Path, default=Path(__file__).parent / ".venvs")
    folder = parser.parse_args().to
    for name, (packages, without_dependencies) in ENVIRONMENTS.items():
        make(folder / name, packages, without_dependencies)


def make(venv: Path, packages: tuple[str, ...], without_dependencies: tuple[str, ...]) -> None:
    """Make one environment, unless it already has these packages."""
    wanted = "\n".join(packages + without_dependencies)
    done = venv / "packages.txt"
    if done.exists() and done.read_text() == wanted:
        print(f"{venv} exists")
        return
    print(f"{venv} ...", flush=True)
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet"]
    subprocess.run([*pip, *packages], check=True)
    if without_dependencies:
        subprocess.run([*pip, "--no-deps", *without_dependencies], check=True)
    done.write_text(wanted)


if __name__ == "__main__":
    main()
