"""Code blocks of documentation pages as scripts."""

import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path

ROOT = Path(__file__).parents[1]


def code_of(text):
    """Return the code blocks of a page as one script, each line at its place in the page."""
    lines = ["" for _ in text.splitlines()]
    for match in re.finditer(r"^\.\. code-block:: python\n\n((?:(?: {4}.*)?\n)+)", text, re.M):
        start = text[: match.start(1)].count("\n")
        block = textwrap.dedent(match[1]).splitlines()
        lines[start : start + len(block)] = block
    return "\n".join(lines) + "\n"


def run(code, folder):
    """Run a script in a new process, so that registered types and methods do not reach other tests."""
    script = folder / "page.py"
    script.write_text(code)
    paths = [str(ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths), "OMP_NUM_THREADS": "1"}
    return subprocess.run(
        [sys.executable, str(script)], cwd=folder, env=environment, capture_output=True, text=True
    )
