"""Errors of exports."""

from __future__ import annotations


class NotExportableError(ValueError):
    """A fitted estimator that has no equivalent in the format; the message gives the reason."""
