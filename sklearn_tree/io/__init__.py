"""Estimators in files: safetensors with JSON, without pickle."""

from sklearn_tree.io.files import load, save
from sklearn_tree.io.registry import TRUSTED_TYPES

__all__ = ["TRUSTED_TYPES", "load", "save"]
