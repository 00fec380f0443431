"""Fuzzing of the parsers: every mutated text gives a tree or a ValueError with its row.

Run ``python benchmarks/fuzz.py [inputs per parser]``. The tests run a thousand inputs per parser.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import SEEDS, fuzz


def main() -> None:
    """Fuzz all parsers and print a table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{'parser':12}{'inputs':>10}{'trees':>10}{'refused':>10}{'seconds':>9}")
    for format in SEEDS:
        start = time.perf_counter()
        n_trees = fuzz(format, n, seed=1)
        seconds = time.perf_counter() - start
        print(f"{format:12}{n:10,}{n_trees:10,}{n - n_trees:10,}{seconds:9.0f}", flush=True)


if __name__ == "__main__":
    main()
