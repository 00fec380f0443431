"""Checks of the built site: it loads nothing from other hosts, its links resolve, and its pages are light.

Run ``python docs/check_site.py docs/_build/html`` after a build; ``make docs`` does.
"""

from __future__ import annotations

import re
import sys
from functools import cache
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

MAX_BYTES = 1_000_000  # of a page with the scripts, styles and images that it loads
FONTS = {".woff2", ".woff", ".ttf"}  # not counted: a browser loads a font if the page has a character in it
LOADED_LINKS = {"stylesheet", "preload", "modulepreload", "prefetch", "icon", "manifest", "preconnect"}
SOURCES = {"script": "src", "img": "src", "iframe": "src", "source": "src", "video": "src", "audio": "src"}
SOURCES |= {"embed": "src", "object": "data", "image": "href", "use": "href", "input": "src"}
IN_STYLE = re.compile(r"""url\(\s*["']?([^"')]+)|@import\s+["']([^"']+)""")
IN_SCRIPT = re.compile(
    r"""["'`]((?:https?:)?//[\w.-]+/[^"'`\s]*\.(?:m?js|css|woff2?|json)\b[^"'`\s]*)["'`]"""
)


class Page(HTMLParser):
    """Addresses that a page loads, in ``loaded``, its ``links``, and its anchors, in ``ids``."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.loaded: list[str] = []
        self.links: list[str] = []
        self.ids: set[str] = set()
        self._open = ""
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Collect the addresses in the attributes of an element."""
        values = {name: value or "" for name, value in attrs}
        self.ids |= {values[name] for name in ("id", "name") if name in values}
        if tag == "a" and values.get("href", "").strip("#"):
            self.links.append(values["href"])
        if tag == "link" and LOADED_LINKS & {*values.get("rel", "").split()}:
            self.loaded.append(values.get("href", ""))
        self.loaded.append(
            values.get(SOURCES.get(tag, ""), values.get("xlink:href", "") if tag == "use" else "")
        )
        self.loaded += [part.split()[0] for part in values.get("srcset", "").split(",") if part.strip()]
        self.loaded += find_in_style(values.get("style", ""))
        self._open = tag

    def handle_data(self, data: str) -> None:
        """Collect the addresses in inline styles and scripts."""
        if self._open == "style":
            self.loaded += find_in_style(data)
        if self._open == "script":
            self.loaded += IN_SCRIPT.findall(data)

    def handle_endtag(self, tag: str) -> None:
        """Leave an inline style or script."""
        self._open = ""


def find_in_style(text: str) -> list[str]:
    """Return the addresses that a style sheet loads."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return [a or b for a, b in IN_STYLE.findall(text)]


@cache
def read_page(path: Path) -> Page:
    """Return a parsed page."""
    return Page(path.read_text("utf-8", "replace"))


@cache
def find_loaded(path: Path) -> list[str]:
    """Return the addresses that a file loads, without those of its own content."""
    text = path.read_text("utf-8", "replace") if path.suffix in {".css", ".js"} else ""
    finders = {".html": lambda: read_page(path).loaded, ".css": lambda: find_in_style(text)}
    loaded = finders.get(path.suffix, lambda: IN_SCRIPT.findall(text))()
    return [url for url in loaded if url and not url.startswith(("data:", "blob:", "about:", "#"))]


def check_page(page: Path, root: Path) -> tuple[list[str], int]:
    """Return the problems of a page, and its bytes with all files that it loads."""
    problems, files, queue = [], {page}, [page]
    while queue:
        path = queue.pop()
        for url in find_loaded(path):
            parts = urlsplit(url)
            if parts.scheme or parts.netloc:
                problems.append(f"{path.relative_to(root)} loads {url}")
                continue
            file = (path.parent / unquote(parts.path)).resolve()
            if not file.is_file():
                problems.append(f"{path.relative_to(root)} loads {url}, which does not exist")
            elif file not in files:
                files.add(file)
                queue.append(file)
    return problems, sum(file.stat().st_size for file in files if file.suffix not in FONTS)


def check_links(page: Path, root: Path) -> list[str]:
    """Return the links of a page whose page or anchor does not exist."""
    problems = []
    for url in dict.fromkeys(read_page(page).links):
        parts = urlsplit(url)
        if parts.scheme or parts.netloc:
            continue
        file = (page.parent / unquote(parts.path)).resolve() if parts.path else page
        if not file.is_file():
            problems.append(f"{page.relative_to(root)} links to {url}, which does not exist")
        elif parts.fragment and file.suffix == ".html" and unquote(parts.fragment) not in read_page(file).ids:
            problems.append(f"{page.relative_to(root)} links to {url}, which has no such anchor")
    return problems


def check_thumbnails(root: Path) -> list[str]:
    """Return the examples of the gallery that have the default thumbnail, because they draw no figure."""
    images = root / "_images"
    names = [path.name.removesuffix("_thumb.png") for path in sorted(images.glob("sphx_glr_*_thumb.png"))]
    return [
        f"{name.removeprefix('sphx_glr_')} has the default thumbnail: set sphinx_gallery_thumbnail_path"
        for name in names
        if not any(images.glob(f"{name}_[0-9]*"))
    ]


def check_site(root: Path) -> tuple[list[str], list[tuple[int, str]]]:
    """Return the problems of a site, and the bytes and name of each page, the largest first."""
    root = root.resolve()
    problems, sizes = [], []
    find_loaded.cache_clear()
    read_page.cache_clear()
    for page in sorted(root.rglob("*.html")):
        if "_static" in page.relative_to(root).parts:
            continue  # templates of the theme
        found, size = check_page(page, root)
        found += check_links(page, root)
        name = str(page.relative_to(root))
        if size > MAX_BYTES:
            found.append(f"{name} has {size:,} bytes with what it loads, more than {MAX_BYTES:,}")
        problems += found
        sizes.append((size, name))
    return [*dict.fromkeys(problems), *check_thumbnails(root)], sorted(sizes, reverse=True)


def main(folder: str) -> int:
    """Check a folder and print the result; return the exit status."""
    problems, sizes = check_site(Path(folder))
    for size, name in sizes[:3]:
        print(f"{size:>9,} bytes  {name}")  # noqa: T201
    for problem in problems or ([] if sizes else [f"{folder} has no pages"]):
        print(problem, file=sys.stderr)  # noqa: T201
    return int(bool(problems) or not sizes)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
