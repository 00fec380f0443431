"""Diagnosis of fitted nets: common problems of samples and trainings, with figures and remedies."""

from sklearn_tree.diagnosis.checks import diagnose
from sklearn_tree.diagnosis.report import Diagnosis, Finding

__all__ = ["Diagnosis", "Finding", "diagnose"]
