"""Report of a diagnosis as text, table and HTML."""

import re

import pytest

from sklearn_tree.diagnosis import Diagnosis, Finding

SCALE = Finding(name="scale", finding="Columns are constant.", figure="2 of 3", suggestion="Drop them.")
LEAK = Finding(name="leak", finding="A word leaks.", figure="'<b>&\"'", suggestion="Remove it.")


def test_a_diagnosis_is_a_sequence_of_findings():
    diagnosis = Diagnosis([SCALE, LEAK])
    assert list(diagnosis) == [SCALE, LEAK]
    assert (len(diagnosis), diagnosis[1], diagnosis.names) == (2, LEAK, ["scale", "leak"])
    assert diagnosis[:1] == Diagnosis([SCALE]) != diagnosis
    assert LEAK in diagnosis
    assert len({diagnosis, Diagnosis([SCALE, LEAK])}) == 1


def test_findings_do_not_change():
    with pytest.raises(AttributeError):
        SCALE.name = "other"


def test_the_text_has_all_parts_of_all_findings():
    text = str(Diagnosis([SCALE, LEAK]))
    assert text.startswith("2 problems found\n")
    assert repr(Diagnosis([SCALE, LEAK])) == text
    for finding in (SCALE, LEAK):
        assert f"{finding.name}: {finding.finding}" in text
        assert finding.figure in text
        assert finding.suggestion in text
    assert str(Diagnosis([SCALE])).startswith("1 problem found\n")


def test_the_table_has_a_row_per_finding():
    frame = Diagnosis([SCALE, LEAK]).to_frame()
    assert list(frame.columns) == ["name", "finding", "figure", "suggestion"]
    assert frame["figure"].tolist() == ["2 of 3", "'<b>&\"'"]
    assert Diagnosis([]).to_frame().shape == (0, 4)


def test_html_is_escaped_and_uses_the_colours_of_the_page():
    html = Diagnosis([SCALE, LEAK])._repr_html_()
    assert "<b>" not in html
    assert "&lt;b&gt;&amp;" in html
    assert html.count("<tr>") == 3
    assert not re.search(r"background|(?<!-)color: (?!inherit)", html)


def test_an_empty_diagnosis_names_no_problem():
    assert str(Diagnosis([])) == repr(Diagnosis()) == "No problems found"
    assert Diagnosis([])._repr_html_() == "<p>No problems found</p>"
