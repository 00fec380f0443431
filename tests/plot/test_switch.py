"""Switches between drawings."""

import re

from sklearn_tree.plot.switch import MAX_CHOICES, draw_switch


def test_the_first_drawing_is_selected():
    page = draw_switch(["a", "b"], ["<b>A</b>", "<b>B</b>"])
    assert re.findall(r"<input [^>]*?( checked)?>", page) == [" checked", ""]
    assert "<section><b>A</b></section><section><b>B</b></section>" in page


def test_each_choice_has_a_rule():
    style = draw_switch(["a"], ["A"]).split("</style>")[0]
    for i in range(1, MAX_CHOICES + 1):
        assert f"input:nth-of-type({i}):not(:checked) ~ section:nth-of-type({i})" in style
    assert f"nth-of-type({MAX_CHOICES + 1})" not in style


def test_equal_switches_on_one_page_do_not_share_ids():
    page = draw_switch(["a", "b"], ["A", "B"]) + draw_switch(["a", "b"], ["A", "B"])
    ids = re.findall(r' id="([^"]+)"', page)
    assert len(set(ids)) == len(ids) == 4
    assert re.findall(r' for="([^"]+)"', page) == ids
    assert len(set(re.findall(r' name="([^"]+)"', page))) == 2


def test_names_are_escaped():
    page = draw_switch(["<script>\"'\0", "b"], ["A", "B"])
    assert "<script" not in page
    assert "&lt;script&gt;&quot;" in page
    assert "\0" not in page
