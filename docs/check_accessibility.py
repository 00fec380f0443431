"""Accessibility check of the built site: axe-core in Chromium, light and dark, on wide and narrow screens.

Run ``npm pack axe-core``, unpack the archive, then
``python docs/check_accessibility.py docs/_build/html package/axe.min.js index.html theory.html``.
"""

from __future__ import annotations

import itertools
import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

MODES = ("light", "dark")
WIDTHS = {"desktop": (1300, 900), "phone": (390, 844)}
OPTIONS = "--headless --no-sandbox --disable-gpu --no-first-run --disable-background-networking"
RUN = "axe.run(document, {resultTypes: ['violations']}).then(found => JSON.stringify(found.violations))"


class Browser:
    """Chromium, driven through a pair of pipes."""

    def __init__(self, profile: str) -> None:
        (to_browser, self._write), (self._read, from_browser) = os.pipe(), os.pipe()
        redirect = f'exec chromium {OPTIONS} --remote-debugging-pipe --user-data-dir="$0"'
        redirect += f" 3<&{to_browser} 4>&{from_browser}"
        self._process = subprocess.Popen(
            ["bash", "-c", redirect, profile], pass_fds=(to_browser, from_browser), stderr=subprocess.DEVNULL
        )
        self._ids, self._buffer, self._session = itertools.count(1), b"", None
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        self.call("Page.enable")

    def call(self, method: str, **params: Any) -> dict:
        """Call a method of the DevTools protocol and return its result."""
        number = next(self._ids)
        message = {"id": number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        return self._wait(lambda answer: answer.get("id") == number)["result"]

    def open(self, url: str) -> None:
        """Open a page and wait until it has been loaded."""
        self.call("Page.navigate", url=url)
        self._wait(lambda answer: answer.get("method") == "Page.loadEventFired")
        self.evaluate("new Promise(done => setTimeout(done, 500))")  # until colours no longer change

    def evaluate(self, script: str) -> Any:
        """Return the value of a script."""
        found = self.call("Runtime.evaluate", expression=script, awaitPromise=True, returnByValue=True)
        return found["result"].get("value")

    def close(self) -> None:
        """End the browser."""
        self._process.terminate()
        self._process.wait()

    def _wait(self, is_expected: Any) -> dict:
        while True:
            while b"\0" not in self._buffer:
                self._buffer += os.read(self._read, 1 << 16)
            text, self._buffer = self._buffer.split(b"\0", 1)
            answer = json.loads(text)
            if is_expected(answer):
                return answer


def main(folder: str, axe: str, *pages: str) -> int:
    """Print the violations of some pages, and return the exit status."""
    counts: Counter = Counter()
    with tempfile.TemporaryDirectory() as profile:
        browser = Browser(profile)
        for page, mode, (name, size) in itertools.product(pages, MODES, WIDTHS.items()):
            width, height = size
            browser.call(
                "Emulation.setDeviceMetricsOverride",
                width=width,
                height=height,
                deviceScaleFactor=1,
                mobile=False,
            )
            feature = {"name": "prefers-color-scheme", "value": mode}
            browser.call("Emulation.setEmulatedMedia", features=[feature])
            browser.open((Path(folder) / page).resolve(strict=True).as_uri())
            browser.evaluate(Path(axe).read_text("utf-8"))
            for violation in json.loads(browser.evaluate(RUN)):
                for node in violation["nodes"]:
                    counts[violation["id"]] += 1
                    print(f"{page} {mode} {name} {violation['id']}: {node['target']} {node['html'][:120]}")  # noqa: T201
        browser.close()
    print(dict(counts))  # noqa: T201
    return int(bool(counts))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
