"""Explanations as plain text, Markdown and JSON."""

from __future__ import annotations

import json
from typing import Any

import numpy as np

from sklearn_tree.plot.text import escape_markdown


def write_text(explanations: Any) -> str:
    """Return the captions, samples and attributions of explanations as plain text."""
    texts = [
        explanations.view.write(explanations._show(i), part, explanations.names) if part.size else "\u2205"
        for i, part in enumerate(explanations.attributions)
    ]
    return "\n\n".join(f"{caption}\n{x}" for caption, x in zip(explanations.captions, texts, strict=True))


def write_markdown(explanations: Any) -> str:
    """Return explanations as Markdown, see :meth:`Explanations.to_markdown`."""
    parts = [escape_markdown(explanations.method.replace("_", " "))]
    for i, caption in enumerate(explanations.captions):
        attributions, sample = explanations.attributions[i], explanations._show(i)
        text = "\u2205"
        if attributions.size:
            text = explanations.view.write_markdown(sample, attributions, explanations.names)
        parts.append(f"**{escape_markdown(caption)}**\n\n{text}")
    return "\n\n".join(parts) + "\n"


def write_json(explanations: Any) -> str:
    """Return explanations as JSON, see :meth:`Explanations.to_json`."""
    known, frame = explanations.predictions, explanations.to_frame()
    dropped = ["sample", "predicted", "true", "target", "explained_node", "delta"]
    parts = frame.drop(columns=dropped, errors="ignore").to_dict("records")
    ends = np.cumsum([part.size for part in explanations.attributions])
    samples = [
        {
            "caption": caption,
            **({} if explanations.nodes is None else {"node": explanations.nodes[i]}),
            "predicted": known.values[i],
            "probability": known.probabilities[i],
            **({} if explanations.truths is None else {"true": explanations.truths[i]}),
            "target": explanations.targets[i],
            "value": explanations.values[i],
            "baseline_value": explanations.baseline_values[i],
            "parts": parts[end - explanations.attributions[i].size : end],
        }
        for i, (caption, end) in enumerate(zip(explanations.captions, ends.tolist(), strict=True))
    ]
    content = {"kind": explanations.kind, "method": explanations.method, "samples": samples}
    return json.dumps(_to_plain(content), ensure_ascii=False, allow_nan=False)


def _to_plain(value: Any) -> Any:
    """Replace scalars of numpy, and numbers that JSON lacks by None."""
    if isinstance(value, dict):
        return {key: _to_plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple)):
        return [_to_plain(item) for item in value]
    value = value.item() if isinstance(value, np.generic) else value
    if isinstance(value, float) and not np.isfinite(value):
        return None
    return value if isinstance(value, (str, int, float, bool, type(None))) else str(value)
