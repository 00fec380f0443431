"""Base class of the views of trees and texts."""

from __future__ import annotations

import dataclasses
from typing import Any

import numpy as np
import torch
from torch import Tensor

from sklearn_tree.explain.explained_net import ExplainedNet
from sklearn_tree.explain.features import WordFeatures
from sklearn_tree.explain.views.base import View
from sklearn_tree.preprocessing.vocabulary import learn_vocabulary
from sklearn_tree.trees.flat import N_RESERVED_IDS, PAD_ID, UNKNOWN_ID


class WordsView(View):
    """View of samples whose positions are ids with embeddings: words, or labels of nodes."""

    is_embedded: bool = True

    def ids(self, encoded: Any) -> np.ndarray:
        """Return the ids of all positions of encoded samples, ndarray of int, shape (n_positions,)."""
        raise NotImplementedError

    def baselines(self, net: ExplainedNet, batch: Any, x: Tensor, baseline: Tensor | str) -> Tensor:
        """Return the baseline vector for all positions; labels of edges are kept."""
        assert isinstance(baseline, Tensor)
        edges = net.embed(dataclasses.replace(batch, labels=torch.zeros_like(batch.labels), values=None))
        return edges + baseline.to(edges)

    def choose_baseline(self, net: ExplainedNet, encoded: Any, name: str) -> np.ndarray:
        """Return the zero vector, the vector of unknown words or the mean vector."""
        weight = net.module.label_table().cpu().numpy()
        if name == "zero":
            return np.zeros_like(weight[0])
        if name == "unknown" or (name == "auto" and net.module.embedding.word_dropout):
            return weight[UNKNOWN_ID].copy()
        ids = self.ids(encoded)
        ids = np.where(ids < len(weight), ids, UNKNOWN_ID)
        counts = np.bincount(ids[ids != PAD_ID], minlength=len(weight))
        mean = counts @ weight / max(counts.sum(), 1)
        path = getattr(net.module, "active_linear", None)
        if path is not None:
            mean[len(mean) - path.n_columns + len(path.bias) :] = 0  # a replaced word is absent from bigrams
        return mean

    def show(self, net: ExplainedNet, encoded: Any, raw: Any) -> Any:
        """Return the samples with the user's words, or with the vectorizer's words if those are unknown."""
        if raw is not None and np.array_equal(raw.offsets, encoded.offsets):
            return raw
        return self._name_ids(net, _forget_new_words(encoded))

    def _name_ids(self, net: ExplainedNet, encoded: Any) -> Any:
        for step in [*net.steps, net.kind.vectorizer][::-1]:
            if hasattr(step, "inverse_transform"):
                named = step.inverse_transform(encoded)
                if getattr(named, "vocabulary", None) is not None:  # other steps have no words
                    return named
        n_ids = self.ids(encoded).max(initial=0) + 1
        return encoded.replace(vocabulary=np.array(list(map(str, range(n_ids))), dtype=object))

    def learn_features(
        self,
        net: ExplainedNet,
        encoded: Any,
        *,
        aggregate: str,
        min_df: int | float,
        max_features: int | None,
    ) -> WordFeatures:
        """Choose one column per word, see :meth:`View.learn_features`."""
        encoded = _forget_new_words(encoded)
        ids, names = self.ids(encoded), self._name_ids(net, encoded).vocabulary
        samples = np.repeat(np.arange(len(encoded)), encoded.sizes)
        is_word = ids >= N_RESERVED_IDS
        kept = learn_vocabulary(
            ids[is_word],
            samples[is_word],
            names,
            len(encoded),
            min_df=min_df,
            max_features=max_features,
        )
        words = list(kept)[N_RESERVED_IDS:]
        vocabulary = {word: i for i, word in enumerate(words)}
        return WordFeatures(
            names=np.array(words, dtype=object),
            vocabulary=vocabulary,
            lookup=np.array([vocabulary.get(name, -1) for name in names]),
            is_mean=aggregate == "mean",
            get_ids=self.ids,
        )


def _forget_new_words(encoded: Any) -> Any:
    """Return samples in which words that are not in the vocabulary are unknown, even if they have vectors."""
    if encoded.vectors is None:
        return encoded
    codes = np.where(encoded.codes < encoded.n_labels, encoded.codes, UNKNOWN_ID)
    return encoded.replace_codes(codes, vectors=None)
