"""Base class of the kinds of samples."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Protocol

import numpy as np

from sklearn_tree.containers import as_known, is_tensor, refuse_texts, to_numpy
from sklearn_tree.kinds.ids import count_ids, is_open_vocabulary
from sklearn_tree.kinds.training import TrainingDefaults
from sklearn_tree.trees.flat import N_RESERVED_IDS
from sklearn_tree.vectors import WordVectors

if TYPE_CHECKING:
    import torch
    from torch import Tensor


class Batch(Protocol):
    """Minibatch of samples on a device."""

    @property
    def sample_weight(self) -> Tensor | None:
        """Weights of the samples in the loss."""
        ...

    def __len__(self) -> int: ...

    def to(self, device: torch.device | str) -> Any:
        """Return the batch on a device."""
        ...


class Kind:
    """Kind of samples: how the user's X becomes encoded samples, and encoded samples become batches.

    A subclass defines how samples are read, encoded and batched. An instance holds what was learned from
    the training samples: a vocabulary, the number of channels or the columns of a table. The defaults here
    are those of samples that are encoded as one array with a row per sample.

    Parameters
    ----------
    reader : str, default="estimator"
        Class name of the estimator that reads the samples, for error messages.
    candidates : sequence of Kind subclasses, default=()
        Kinds among which this one was chosen, for error messages.
    channels : {"last", "first"}, default="last"
        Axis of the channels in the user's series and images.
    input_kind : str, default="auto"
        Name or alias of the kind of the samples, or of those of pairs; "auto" recognizes it.

    Attributes
    ----------
    name : str
        Name of the kind in ``input_kind``, error messages, explanations and saved files.
    aliases : tuple of str
        Further names that ``input_kind`` accepts.
    is_paired_by_name : bool
        Whether ``input_kind`` may name this kind for two columns, which are then pairs of this kind.
    container : type or None
        Class of encoded samples; None for arrays.
    sort_windows : tuple of int
        After shuffling, samples are sorted by cost within windows: the largest number of batches per window,
        and the smallest number of windows.
    is_batched_on_host : bool
        Whether batches are built in main memory even if the net is on an accelerator.
    is_signal : bool
        Whether the samples are sampled signals, in which relevant steps may be far apart.
    has_labels : bool
        Whether the positions of a sample have label ids from a vocabulary.
    is_open : bool
        Whether the vocabulary is open: many labels occur in a single training sample, as in natural language,
        so that new samples have labels that were never seen.
    residual_defaults : TrainingDefaults or None
        Default parameters of convolutional nets if they differ from :attr:`training_defaults`.
    reader_hint : str
        Where to look for an estimator that reads this kind, for error messages.
    text_remedy : str
        How to pass a 2-D array of str, for error messages.
    vectorizer : transformer or None
        Vectorizer fitted on raw samples.
    word_vectors : WordVectors or None
        Pretrained vectors of the vocabulary.
    item_kind : Kind or None
        Fitted kind of the two samples of a pair; None for single samples.
    """

    name: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    is_paired_by_name: ClassVar[bool] = False
    container: ClassVar[type | None] = None
    reader_hint: ClassVar[str] = ""
    text_remedy: ClassVar[str] = "X.tolist() makes token sequences of it"

    sort_windows: tuple[int, int] = (50, 2)  # pairs take these from their samples
    is_batched_on_host: bool = False
    is_signal: bool = False
    has_labels: bool = False
    is_open: bool = False
    residual_defaults: TrainingDefaults | None = None
    vectorizer: Any = None
    word_vectors: WordVectors | None = None
    item_kind: Kind | None = None
    n_features_in_: int  # set if X has columns
    feature_names_in_: np.ndarray
    n_channels_in_: int  # set by kinds with channels

    def __init__(
        self,
        reader: str = "estimator",
        candidates: Sequence[type[Kind]] = (),
        channels: str = "last",
        input_kind: str = "auto",
    ) -> None:
        self.reader = reader
        self.candidates = candidates
        self.channels = channels
        self.input_kind = input_kind

    def __repr__(self) -> str:
        return f"{type(self).__name__}()"

    # Reading.

    @classmethod
    def is_named(cls, input_kind: str) -> bool:
        """Return whether ``input_kind`` is the name or an alias of this kind."""
        return input_kind in (cls.name, *cls.aliases)

    @classmethod
    def recognizes(cls, X: Any) -> bool:
        """Return whether ``fit`` takes X for samples of this kind unless ``input_kind`` names another."""
        raise NotImplementedError

    def accepts(self, X: Any) -> bool:
        """Return whether X can be read as this kind after ``fit``, even if another kind recognizes it."""
        return self.recognizes(X)

    def fit(self, X: Any) -> Any:
        """Learn the encoding from the training samples and return the encoded samples.

        Parameters
        ----------
        X : samples
            Training samples of this kind in any container.

        Returns
        -------
        encoded
            The samples as one array-like object that can be indexed by rows.
        """
        raise NotImplementedError

    def read(self, X: Any, *, is_training: bool = False) -> Any:
        """Read the samples in any container as those of ``fit`` and encode them.

        Parameters
        ----------
        X : samples
            Samples in any container.
        is_training : bool, default=False
            Whether the net is trained with the samples.

        Raises
        ------
        ValueError
            If X cannot be read as this kind.
        """
        X = as_known(X)
        if not self.accepts(X):
            refuse_texts(X, self.text_remedy)
            raise ValueError(f"X must be of the kind {self.name!r}, as in fit, got {self._describe(X)}")
        encoded = self.encode(X)
        if not len(encoded):
            raise ValueError("X must contain at least one sample, got 0 samples")
        self._warn_of_encoded(encoded, is_training)
        return encoded

    def _describe(self, X: Any) -> str:
        """Return the kind that another ``fit`` takes X for, and how to make the first one do so."""
        found = next((kind.name for kind in self.candidates if kind.recognizes(X)), None)
        if found is None:
            return repr(type(X).__name__)
        return f"{found!r}: pass input_kind={found!r} to {self.reader} if all samples are of this kind"

    def _warn_of_encoded(self, encoded: Any, is_training: bool) -> None:
        """Warn if samples that ``read`` has encoded differ much from those of ``fit``."""

    def encode(self, X: Any) -> Any:
        """Encode samples with the encoding that ``fit`` has learned.

        Raises
        ------
        TypeError, ValueError
            If a sample cannot be read; the message gives its row.
        """
        raise NotImplementedError

    def add_vectors(self, embeddings: Any) -> None:
        """Open pretrained vectors for the vocabulary that ``fit`` has learned.

        Parameters
        ----------
        embeddings : str, path, pair, mapping or object
            Parameter ``embeddings`` of the estimators.

        Raises
        ------
        ValueError
            If the samples are not raw texts, tokens or trees, or the vectors cannot be read.
        """
        if self.vectorizer is None:
            raise ValueError(
                f"embeddings must be None for X of the kind {self.name!r} without words: {self.reader} finds "
                "vectors by the words of raw texts, lists of str or trees, without a vectorizer before it"
            )
        self.set_vectors(WordVectors(embeddings, list(self.vectorizer.vocabulary_)[N_RESERVED_IDS:]))

    def set_vectors(self, vectors: WordVectors) -> None:
        """Set the pretrained vectors of the vocabulary."""
        self.word_vectors = vectors

    def _vectorize(self, X: Any) -> Any:
        """Encode raw samples; unknown words that have a pretrained vector get ids of their own."""
        if self.word_vectors is None:
            return self.vectorizer.transform(X)
        return self.vectorizer.transform_with(X, self.word_vectors.find)

    def read_raw(self, X: Any) -> Any:
        """Return the samples as the vectorizer reads them; None without a vectorizer."""
        return None if self.vectorizer is None else self.vectorizer.read(X)

    # Nets and batches.

    def wrap_net(self, net: Any) -> Any:
        """Return the class of the net for these samples, given that of an estimator's nets."""
        return net

    def module_params(self, encoded: Any, sample_weight: np.ndarray | None) -> dict[str, Any]:
        """Return the parameters of the module that depend on the samples, such as sizes and statistics.

        Parameters
        ----------
        encoded : encoded samples
            Training samples.
        sample_weight : ndarray of float, shape (n_samples,), or None
            Weights of the samples.
        """
        raise NotImplementedError

    @property
    def training_defaults(self) -> TrainingDefaults:
        """Default parameters of nets and their training."""
        return TrainingDefaults()

    def learn_defaults(self, encoded: Any) -> None:
        """Learn from the training samples what :meth:`training_defaults` depends on."""
        if self.has_labels:
            counts = self.count_labels(encoded, encoded.n_labels or 0)
            self.is_open = is_open_vocabulary(counts, self.label_ids(encoded))

    def dtype(self, encoded: Any) -> torch.dtype:
        """Return the dtype that the net is trained in: double precision for arrays of doubles only."""
        import torch

        return torch.float64 if str(encoded.dtype).endswith("float64") else torch.float32

    def batch(self, encoded: Any, rows: np.ndarray) -> Batch:
        """Return the given rows of the encoded samples as a batch."""
        raise NotImplementedError

    def inputs(self, encoded: Any, rows: np.ndarray) -> dict[str, np.ndarray]:
        """Return the given rows as inputs of an exported net, ndarrays of int64 and float64 by name."""
        raise NotImplementedError

    def label_ids(self, encoded: Any) -> Any:
        """Return the ids of all positions, int, shape (n_positions,); only of kinds with ``has_labels``."""
        raise NotImplementedError

    def count_labels(self, encoded: Any, n_labels: int) -> Any:
        """Count the labels of each sample, see :func:`~sklearn_tree.kinds.ids.count_ids`."""
        return count_ids(self.label_ids(encoded), encoded.offsets, n_labels)

    def count_bigrams(self, encoded: Any, n_labels: int, max_bigrams: int) -> tuple[np.ndarray, Any] | None:
        """Count the pairs of successive labels of each sample; None if the labels have no order.

        Parameters
        ----------
        encoded : encoded samples
            The samples.
        n_labels : int
            Number of label ids; larger ids count as unknown.
        max_bigrams : int
            Number of bigrams to keep, the most frequent ones.

        Returns
        -------
        bigrams : ndarray of int64, shape (n_bigrams,)
            Bigrams in increasing order, as ``first_id * n_labels + second_id``.
        counts : scipy.sparse.csr_array of float, shape (n_samples, n_bigrams)
            Counts.
        """
        return None

    def share_repeats(self, encoded: Any, batch_size: int) -> Any:
        """Return the samples, annotated so that batches compute repeated parts once if that is faster."""
        return encoded

    # Sizes.

    def n_positions(self, encoded: Any) -> np.ndarray:
        """Return the number of nodes, steps, pixels or columns of each sample, int, shape (n_samples,)."""
        raise NotImplementedError

    def mean_length(self, encoded: Any, sample_weight: np.ndarray | None) -> float:
        """Return the weighted mean of :meth:`n_positions`."""
        return float(np.average(self.n_positions(encoded), weights=sample_weight))

    def pool_size(self, encoded: Any, sample_weight: np.ndarray | None) -> int:
        """Return the factor by which the first layer of a residual net downsamples its feature maps."""
        return 1

    def cost(self, encoded: Any) -> np.ndarray | None:
        """Return the height or length of each sample; None if all are equal.

        The largest sample sets the cost of a batch.
        """
        return None

    def n_bytes(self, encoded: Any) -> int:
        """Return the size of the encoded samples in memory."""
        return encoded.nbytes

    def magnitude(self, encoded: Any, row: int) -> float | None:
        """Return the largest absolute number of a sample; None if it has no numbers."""
        numbers = np.abs(to_numpy(encoded[row]).astype(np.float64))
        return float(numbers.max()) if numbers.size else None

    # Devices.

    @classmethod
    def to(cls, encoded: Any, device: torch.device, dtype: torch.dtype | None = None) -> Any:
        """Return encoded samples on a device, arrays as tensors.

        Parameters
        ----------
        encoded : encoded samples
            The samples.
        device : torch.device
            Target device.
        dtype : torch.dtype, default=None
            Type of floating-point numbers; None keeps their type.
        """
        return to_tensor(encoded, device, dtype)

    @classmethod
    def to_host(cls, encoded: Any) -> Any:
        """Return encoded samples in main memory, tensors as arrays."""
        return to_numpy(encoded)

    # Saving.

    def to_state(self) -> dict[str, Any]:
        """Return the fitted attributes as JSON-serializable values."""
        raise NotImplementedError

    @classmethod
    def from_state(cls, state: dict[str, Any], reader: str = "estimator") -> Any:
        """Rebuild the fitted kind from the return value of :meth:`to_state`."""
        raise NotImplementedError


def to_tensor(column: Any, device: torch.device, dtype: torch.dtype | None = None) -> Tensor:
    """Return an array or tensor as a tensor on a device.

    Parameters
    ----------
    column : ndarray or Tensor
        Numbers.
    device : torch.device
        Target device. On mps, which has no doubles, floating-point numbers become float32.
    dtype : torch.dtype, default=None
        Type of floating-point numbers; None keeps their type. Integers keep their type.
    """
    import torch

    tensor = column if is_tensor(column) else torch.from_numpy(np.array(column))  # a writable copy
    if not tensor.is_floating_point():
        dtype = None
    elif device.type == "mps":
        dtype = torch.float32
    return tensor.to(device, dtype)
