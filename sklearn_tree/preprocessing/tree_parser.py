"""Transformer that parses texts, code and documents into trees."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from numbers import Integral
from typing import Any, Self

from sklearn.base import BaseEstimator, TransformerMixin

from sklearn_tree.callbacks import CallbackSupportMixin, fit_context, with_callbacks
from sklearn_tree.containers import as_column, without_arrow
from sklearn_tree.documentation import DocumentationLinkMixin
from sklearn_tree.preprocessing.output import NoTableMixin, TextInputMixin
from sklearn_tree.preprocessing.parsers.branching import build_balanced_tree, build_right_tree
from sklearn_tree.preprocessing.parsers.conllu_text import parse_conllu
from sklearn_tree.preprocessing.parsers.html_text import parse_html
from sklearn_tree.preprocessing.parsers.json_text import parse_json
from sklearn_tree.preprocessing.parsers.newick import parse_newick
from sklearn_tree.preprocessing.parsers.python_text import parse_python
from sklearn_tree.preprocessing.parsers.spacy_text import parse_texts
from sklearn_tree.preprocessing.parsers.xml_text import parse_xml
from sklearn_tree.preprocessing.splitter import SPLITS, Split, build_splitter
from sklearn_tree.preprocessing.tokenizer import Tokenizer, build_tokenizer
from sklearn_tree.state import StateMixin
from sklearn_tree.trees import TreeArray
from sklearn_tree.trees.formats import FlatTree, read_brackets
from sklearn_tree.trees.transform import split_leaves
from sklearn_tree.trees.tree import flatten_any
from sklearn_tree.validation import POSITIVE_INT, Options, StrOptions

_PARSERS: dict[str, Callable[[str], FlatTree]] = {
    "brackets": read_brackets,
    "newick": parse_newick,
}
# The formats that tell content from structure, and how content is split by default.
_CONTENT_PARSERS: dict[str, Callable[..., FlatTree]] = {
    "html": parse_html,
    "json": parse_json,
    "python": parse_python,
    "xml": parse_xml,
}
_DEFAULT_SPLITS = {"html": "words", "json": "words", "python": "identifiers", "xml": "words"}
_BRANCHING = {"balanced": build_balanced_tree, "right": build_right_tree}
TEXT_FORMATS = {*_PARSERS, *_CONTENT_PARSERS, *_BRANCHING, "conllu", "spacy"}


class TreeParser(
    DocumentationLinkMixin,
    StateMixin,
    NoTableMixin,
    TextInputMixin,
    CallbackSupportMixin,
    TransformerMixin,
    BaseEstimator,
):
    """Parse texts, code and documents into trees.

    Use it before :class:`TreeVectorizer` or an estimator for trees. Calling ``fit`` is optional.
    Each sample is a str, which is the text itself, or a path (:class:`pathlib.Path` or another
    ``os.PathLike``) of a UTF-8 file. A byte order mark at the start is omitted.

    Parameters
    ----------
    format : str or callable
        Format of the texts: "brackets", "conllu", "python", "json", "xml", "html", "newick", "spacy",
        "balanced" or "right". "spacy" parses plain text with a spaCy model. "balanced" and "right" build
        binary trees over the tokens of plain text without a parser: split recursively in halves, or ``(a (b
        (c d)))``. A callable ``format(sample)`` receives each sample, of any type, and returns a tree that
        :meth:`Tree.from_any` reads. A function that is defined in a module can be pickled with the parser.
    word_label : {"text", "lemma", "pos"}, default="text"
        Label of each word ("spacy" and "conllu" only).
    tokenizer : {"words", "chars"}, regular expression or callable, default="words"
        How to split a text ("balanced" and "right" only), as in :class:`SequenceVectorizer`.
    model : str or spacy.Language, default="en_core_web_sm"
        A spaCy model with a dependency parser ("spacy" only). A ``Pipeline(memory=...)`` can cache the trees
        only if the model is given by name.
    batch_size : int, default=256
        Number of texts that spaCy parses at once.
    n_process : int, default=1
        Number of processes in which spaCy parses; -1 uses all cores.
    split : {"auto", "words", "identifiers"} or callable or None, default="auto"
        How to split content into pieces, which become the children of a node without a label, as in
        :class:`TreeVectorizer`. Content is a text or the value of an attribute ("html", "xml"), a string
        ("json"), an identifier or a string ("python"), and in all other formats the label of any leaf without
        a value. Tags, types of syntax nodes, keys and numbers are kept. "auto" is "words" for "html", "xml"
        and "json", "identifiers" for "python", and None for all other formats.
    verbose : int, default=0
        Number of samples after which a line of progress is printed; 0 prints nothing.

    Attributes
    ----------
    n_features_in_ : int
        1 if X was an array or frame of one column in ``fit``; absent for lists and Series.
    feature_names_in_ : ndarray of str, shape (1,)
        Name of the column, if X was a DataFrame.

    See Also
    --------
    TreeVectorizer : Converts the trees to ids.
    register_tree_type : Registers a class of tree objects, which need no parser.

    Notes
    -----
    No text can make the parser load a file, open a connection or expand an entity: XML that declares entities
    is refused. The depth of the trees is not limited, except for "python": the interpreter's parser fails at
    some hundreds of nested expressions.

    Examples
    --------
    >>> from sklearn_tree import TreeParser
    >>> TreeParser("python").transform(["area = 2.5 * h"])[0]
    Tree('(Assign (Name area) (BinOp (Constant number) Mult (Name h)))')
    >>> TreeParser("html").transform(["<ul class=menu><li>Home<li>About</ul>"])[0]
    Tree('(ul menu (li Home) (li About))')
    >>> TreeParser("html").transform(["<a href=/wiki/Oak>Trees and shrubs</a>"])[0].to_tuple()
    ('a', ('', 'wiki', 'Oak'), ('', 'Trees', 'and', 'shrubs'))
    >>> TreeParser("right", tokenizer="chars").transform(["abc"])[0].to_tuple()
    ('', 'a', ('', 'b', 'c'))
    >>> TreeParser(lambda path: ("path", *path.split("/"))).transform(["usr/lib"])[0]
    Tree('(path usr lib)')
    """

    _parameter_constraints: dict = {  # noqa: RUF012
        "format": [StrOptions(TEXT_FORMATS), callable],
        "word_label": [StrOptions({"text", "lemma", "pos"})],
        "tokenizer": [str, callable],
        "model": [str, callable],
        "batch_size": [POSITIVE_INT],
        "n_process": [POSITIVE_INT, Options(Integral, {-1})],
        "split": [StrOptions({"auto", *SPLITS}), callable, None],
        "verbose": ["verbose"],
    }

    def __init__(
        self,
        format: str | Callable[[Any], Any],
        *,
        word_label: str = "text",
        tokenizer: Tokenizer = "words",
        model: Any = "en_core_web_sm",
        batch_size: int = 256,
        n_process: int = 1,
        split: Split = "auto",
        verbose: int = 0,
    ) -> None:
        self.format = format
        self.word_label = word_label
        self.tokenizer = tokenizer
        self.model = model
        self.batch_size = batch_size
        self.n_process = n_process
        self.split = split
        self.verbose = verbose

    @with_callbacks
    def fit(self, X: Any, y: Any = None) -> Self:
        """Check the parameters; only the name of the column is learned.

        Parameters
        ----------
        X : list, Series, object array or one-column DataFrame of str or paths
            Only the name of the column is read.
        y : None
            Ignored.

        Returns
        -------
        self
            The parser.

        Raises
        ------
        ValueError
            If a parameter is invalid.
        """
        self._validate_params()
        with fit_context(self, X, y):
            self._check_column(without_arrow(X), reset=True)
        return self

    def transform(self, X: Any) -> TreeArray:
        """Parse each sample into one tree.

        Parameters
        ----------
        X : list, Series, object array or one-column DataFrame of str or paths
            Texts, or paths of files; samples of any type if ``format`` is a callable.

        Returns
        -------
        TreeArray
            One tree per sample, with text labels.

        Raises
        ------
        TypeError, ValueError, OSError
            If a sample is not a str or path, cannot be read or cannot be parsed. The message gives the row.
            A note gives the row of any other error that a callable raises.
        ImportError
            If spaCy or its model is not installed. The message gives the command that installs it.
        """
        self._validate_params()
        X = without_arrow(X)
        column = as_column(X, "texts")
        self._check_column(X, reset=False)
        split = self._choose_split()
        trees = TreeArray.from_trees(self._report(self._parse(column, split), len(column)))
        is_split = split is None or (isinstance(self.format, str) and self.format in _CONTENT_PARSERS)
        return trees if is_split else split_leaves(trees, build_splitter(split))

    def _choose_split(self) -> Split:
        if callable(self.split) or self.split != "auto":
            return self.split
        return None if callable(self.format) else _DEFAULT_SPLITS.get(self.format)

    def _parse(self, column: list, split: Split) -> Iterator[FlatTree]:
        if callable(self.format):
            format = self.format
            return _parse_each(column, lambda sample: flatten_any(format(sample)))
        texts = [_read(item, i) for i, item in enumerate(column)]
        if self.format == "spacy":
            return parse_texts(texts, self.model, self.word_label, self.batch_size, self.n_process)
        return _parse_each(texts, self._parser(split))

    def _parser(self, split: Split) -> Callable[[str], FlatTree]:
        if self.format in _BRANCHING:
            build, tokenize = _BRANCHING[self.format], build_tokenizer(self.tokenizer)
            return lambda text: build(tokenize(text))
        if self.format == "conllu":
            return partial(parse_conllu, label=self.word_label)
        format = str(self.format)
        if format in _CONTENT_PARSERS:
            return partial(_CONTENT_PARSERS[format], split=build_splitter(split))
        return _PARSERS[format]

    def _report(self, trees: Iterable[FlatTree], n: int) -> Iterator[FlatTree]:
        for i, tree in enumerate(trees, start=1):
            if self.verbose and i % self.verbose == 0:
                print(f"[TreeParser] {i} of {n} parsed")  # noqa: T201
            yield tree

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.requires_fit = False
        return tags


def _read(item: Any, i: int) -> str:
    if isinstance(item, str):
        return item.removeprefix("\ufeff")  # the byte order mark, which "utf-8-sig" removes from files
    if not isinstance(item, os.PathLike):
        raise TypeError(f"X[{i}] must be a str (content) or a path (file), got {type(item).__name__}")
    try:
        with open(item, encoding="utf-8-sig") as file:
            return file.read()
    except UnicodeDecodeError as error:
        raise ValueError(f"X[{i}] must be a file in UTF-8: {item}: {error}") from error
    except OSError as error:
        error.add_note(f"while reading X[{i}]")
        raise


def _parse_each(samples: list, parse: Callable[[Any], FlatTree]) -> Iterator[FlatTree]:
    for i, sample in enumerate(samples):
        try:
            tree = parse(sample)
        except (TypeError, ValueError) as error:
            raise ValueError(f"X[{i}]: {error}") from error
        except Exception as error:
            error.add_note(f"while parsing X[{i}]")
            raise
        yield tree
