"""Kinds of targets: one class, several labels, several columns of classes, or numbers."""

from sklearn_tree.estimators.targets.base import Target, check_length, check_y
from sklearn_tree.estimators.targets.class_target import ClassTarget
from sklearn_tree.estimators.targets.classes import MultiLabel, MultiOutput, OneClass, read_classes
from sklearn_tree.estimators.targets.numbers import Numbers, read_numbers

TARGETS: dict[str, type[Target]] = {
    target.name: target for target in (OneClass, MultiLabel, MultiOutput, Numbers)
}

__all__ = [
    "TARGETS",
    "ClassTarget",
    "MultiLabel",
    "MultiOutput",
    "Numbers",
    "OneClass",
    "Target",
    "check_length",
    "check_y",
    "read_classes",
    "read_numbers",
]
