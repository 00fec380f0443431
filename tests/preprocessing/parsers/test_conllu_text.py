"""The parser of CoNLL-U."""

import pytest

from sklearn_tree import Tree, TreeParser

N = 100_000
CONLLU = "".join(
    "\t".join(row.split()) + "\n"
    for row in ("1 Dogs dog NOUN _ _ 2 nsubj _ _", "2-3 x _ _ _ _ _ _ _ _", "2 run run VERB _ _ 0 root _ _")
)
RUN = Tree(["run", "Dogs"], [-1, 0], edges=[None, "nsubj"])


def parse(text, **params):
    return TreeParser("conllu", **params).transform([text])[0]


def test_words_are_children_of_their_heads():
    assert parse("# a comment\n" + CONLLU) == RUN
    assert parse(CONLLU, word_label="lemma").labels == ("run", "dog")
    assert parse(CONLLU, word_label="pos").labels == ("VERB", "NOUN")
    assert parse(CONLLU.replace("\n", "\r\n")) == RUN
    assert parse(CONLLU + CONLLU.replace("2-3", "8.1").splitlines()[1] + "\n") == RUN
    assert parse(CONLLU.replace("Dogs", "Do\u2028\x85gs")).labels == ("run", "Do\u2028\x85gs")
    assert parse(f"{CONLLU}\n\n{CONLLU}\n") == Tree.from_any(("<text>", RUN, RUN))


def test_texts_nested_100_000_deep_are_read():
    text = "".join(f"{i}\tw\tw\tX\t_\t_\t{i - 1}\tdep\t_\t_\n" for i in range(1, N + 1))
    assert parse(text).height == N - 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "at least one sentence, got none"),
        ("1\ta", "line 1 must have 10 columns separated by tabs, got 2"),
        (
            CONLLU.replace("\t2\tnsubj", "\t7\tnsubj"),
            "sentence 0: the head of word 1 must be a word or 0, got '7'",
        ),
        (CONLLU.replace("\t0\troot", "\t1\troot"), "sentence 0: .*cycle"),
        (CONLLU.replace("1\tDogs", "x\tDogs"), "line 1 must start with an id such as 1, 1-2 or 8.1, got 'x'"),
        (CONLLU.replace("2-3\t", "2-\t"), "line 2 must start with an id such as 1, 1-2 or 8.1, got '2-'"),
        (CONLLU.replace("2\trun", "02\trun"), "line 3 must start with an id such as 1, 1-2 or 8.1, got '02'"),
        (CONLLU * 2, "sentence 0: word ids must be unique, got '1' twice"),
    ],
)
def test_invalid_texts_are_refused(text, message):
    with pytest.raises(ValueError, match=message):
        parse(text)
