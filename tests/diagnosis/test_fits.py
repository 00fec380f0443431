"""Diagnosis of fits with one prepared problem each, and of fits without problems.

``python tests/diagnosis_helpers.py`` prints the rates of hits and false alarms for further seeds.
"""

import pytest
from diagnosis_helpers import HEALTHY, SICK, run_diagnosis


@pytest.mark.parametrize("make", SICK, ids=lambda make: make.__name__)
def test_the_problem_of_a_fit_is_found(make):
    diagnosis = run_diagnosis(make(0))
    assert SICK[make] in diagnosis.names


@pytest.mark.parametrize("make", HEALTHY, ids=lambda make: make.__name__)
def test_nothing_is_found_in_a_healthy_fit(make):
    diagnosis = run_diagnosis(make(0))
    assert diagnosis.names == []
    assert str(diagnosis) == "No problems found"
