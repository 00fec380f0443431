"""Splitters of labels, compared with loops over characters."""

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from sklearn_tree.preprocessing.splitter import build_splitter, find_identifiers, find_words

TEXTS = st.text(st.sampled_from("aBÉé9_ -'’./ñ中\u0301\u093f")) | st.text()
SPLITTERS = {"words": find_words, "identifiers": find_identifiers}


def is_letter(char):
    return char == "_" or char.isalnum() or ("\u0300" <= char < "\uffff" and category(char) == "M")


def category(char):
    return unicodedata.category(char)[0]


def words_by_loop(text):
    words, word = [], ""
    for i, char in enumerate(text):
        is_inner = char in "'’" and word and i + 1 < len(text) and is_letter(text[i + 1])
        if is_letter(char) or is_inner:
            word += char
        elif word:
            words.append(word)
            word = ""
    return [*words, word] if word else words


def identifiers_by_loop(text):
    return [piece for word in words_by_loop(text.replace("_", " ")) for piece in humps_by_loop(word)]


def humps_by_loop(word):
    pieces, last = [], ""
    for i, char in enumerate(word):
        after = next((c for c in word[i + 1 :] if category(c) != "M"), "")
        is_hump = char.isupper() and (
            (last and not last.isupper() and last not in "'’") or (last.isupper() and after.islower())
        )
        if is_hump or not pieces:
            pieces.append("")
        pieces[-1] += char
        last = last if category(char) == "M" else char
    return pieces


@given(TEXTS)
def test_words_agree_with_a_loop(text):
    assert find_words(text) == words_by_loop(text)


@pytest.mark.parametrize(
    ("text", "pieces"),
    [
        ("camelCase snake_case __init__", ["camel", "Case", "snake", "case", "init"]),
        (
            "HTTPServer2Name parseXML X509Cert utf8",
            ["HTTP", "Server2", "Name", "parse", "XML", "X509", "Cert", "utf8"],
        ),
        ("https://a.b/c?d=e#f", ["https", "a", "b", "c", "d", "e", "f"]),
        ("nav-bar O'Neil don't l’été", ["nav", "bar", "O'Neil", "don't", "l’été"]),
        ("éCole ÉCole ECOLE\u0301s", ["é", "Cole", "É", "Cole", "ECOL", "E\u0301s"]),
        ("हिन्दी भाषा 中文", ["हिन्दी", "भाषा", "中文"]),
        ("! _ --", []),
    ],
)
def test_identifiers_are_split_where_the_case_changes(text, pieces):
    assert find_identifiers(text) == pieces


@given(TEXTS)
@example("E\u0301Cole aB’C")
def test_identifiers_agree_with_a_loop(text):
    assert find_identifiers(text) == identifiers_by_loop(text)


@pytest.mark.parametrize("name", SPLITTERS)
@given(text=TEXTS)
def test_pieces_joined_are_the_words_of_the_label(name, text):
    words = words_by_loop(text if name == "words" else text.replace("_", " "))
    assert "".join(SPLITTERS[name](text)) == "".join(words)


@pytest.mark.parametrize("name", SPLITTERS)
@given(text=TEXTS)
def test_pieces_have_no_pieces(name, text):
    split = build_splitter(name)
    label, pieces = split(text)
    assert (label == "") == (len(pieces) > 1) or not text
    for piece in pieces or [label]:
        assert split(piece) == (piece, [])


def test_the_splitters_differ():  # the control of the laws above
    assert find_words("aB_c d") == ["aB_c", "d"]
    assert find_identifiers("aB_c d") == ["a", "B", "c", "d"]


def test_labels_of_one_word_are_that_word_and_others_are_kept():
    split = build_splitter("words")
    assert split("Oak!") == ("Oak", [])
    assert split("!") == ("!", [])
    assert split("a b") == ("", ["a", "b"])
    assert not any(build_splitter(None)("a b")[1])


def test_a_callable_splits_and_empty_pieces_are_omitted():
    split = build_splitter(lambda text: text.split("/"))
    assert split("/usr//lib") == ("", ["usr", "lib"])
    assert split("usr/") == ("usr", [])
    assert split("/") == ("/", [])
    with pytest.raises(TypeError, match="split must return a list of str, got 'A'"):
        build_splitter(str.upper)("a")
