"""Fuzzing: a mutated text gives a tree or a ValueError with its row, a changed file a model or a ValueError.

Run ``python benchmarks/fuzz.py [inputs per parser]``. The tests run a thousand inputs per parser, and some
hundred files. Files are loaded with a limit of 4 GB of memory.
"""

from __future__ import annotations

import resource
import sys
import time
import warnings
from pathlib import Path
from tempfile import TemporaryDirectory

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))

from fuzzing import SEEDS, fuzz
from fuzzing_files import fuzz_files, save_seeds


def main() -> None:
    """Fuzz all parsers and print a table."""
    n = int(sys.argv[1]) if len(sys.argv) > 1 else 100_000
    print(f"{'parser':12}{'inputs':>10}{'trees':>10}{'refused':>10}{'seconds':>9}")
    report_files(n)
    for format in SEEDS:
        start = time.perf_counter()
        n_trees = fuzz(format, n, seed=1)
        seconds = time.perf_counter() - start
        print(f"{format:12}{n:10,}{n_trees:10,}{n - n_trees:10,}{seconds:9.0f}", flush=True)


def report_files(n: int) -> None:
    """Load damaged files, and forged ones with valid digests."""
    warnings.simplefilter("ignore")
    resource.setrlimit(resource.RLIMIT_AS, (4 * 2**30, resource.RLIM_INFINITY))
    with TemporaryDirectory() as folder:
        expected = save_seeds(Path(folder))
        for name, is_forged in (("damaged", False), ("forged", True)):
            start = time.perf_counter()
            n_loaded, n_refused = fuzz_files(Path(folder), expected, n // 2, 1, is_forged=is_forged)
            seconds = time.perf_counter() - start
            print(f"{name:12}{n // 2:10,}{n_loaded:10,}{n_refused:10,}{seconds:9.0f}", flush=True)
    resource.setrlimit(resource.RLIMIT_AS, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))


if __name__ == "__main__":
    main()
