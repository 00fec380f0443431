"""Objects as JSON and arrays, and back."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from sklearn_tree.device import resolve_device
from sklearn_tree.estimators.plain import to_plain
from sklearn_tree.io.registry import check_sources, class_name, find_class
from sklearn_tree.nn import TreeCell
from sklearn_tree.trees.flat import FlatArray

_TAG = "$"  # key of the dicts that describe values that JSON does not have
_PLAIN = (type(None), bool, int, float, str)
_DERIVED = ("parents", "subtrees", "validate")  # not read: computed from the columns of a TreeArray
_CHARACTER_SIZE = 4  # bytes of a character in an array of str
_MAX_KEY = 2**53  # larger numbers could be chosen to have equal hashes, which makes dicts slow


class Encoder:
    """Encodes objects as values of JSON; arrays of numbers are collected apart.

    Attributes
    ----------
    arrays : list of ndarray
        Arrays, contiguous.
    """

    def __init__(self) -> None:
        self.arrays: list[np.ndarray] = []
        self._numbers: dict[int, int] = {}  # of the objects by id
        self._kept: list[Any] = []  # objects, so that their ids stay unique

    def encode(self, value: Any, path: str) -> Any:
        """Encode a value.

        Parameters
        ----------
        value : any
            Value.
        path : str
            Expression for the value, for errors.

        Raises
        ------
        TypeError
            If the value cannot be saved.
        """
        if type(value) in _PLAIN:
            return value
        if isinstance(value, np.ndarray):
            return self._encode_array(value, path)
        if type(value) is list:
            return self._encode_items(value, path)
        if type(value) is tuple:
            return {_TAG: "tuple", "items": self._encode_items(value, path)}
        if type(value) is dict:
            return self._encode_dict(value, path)
        if isinstance(value, np.generic):
            return {_TAG: "scalar", "array": self._encode_array(np.array(value), path)}
        if isinstance(value, type) and issubclass(value, TreeCell):
            return {_TAG: "cell", "name": value.__qualname__}
        return self._encode_object(value, path)

    def _encode_items(self, items: Sequence, path: str) -> list:
        return [self.encode(item, f"{path}[{i}]") for i, item in enumerate(items)]

    def _encode_dict(self, value: dict, path: str) -> dict:
        if all(type(key) is str for key in value) and _TAG not in value:
            return {key: self.encode(item, f"{path}[{key!r}]") for key, item in value.items()}
        items = [
            [self.encode(key, f"a key of {path}"), self.encode(item, f"{path}[{key!r}]")]
            for key, item in value.items()
        ]
        return {_TAG: "dict", "items": items}

    def _encode_array(self, array: np.ndarray, path: str) -> dict:
        if array.dtype == object:
            items = self._encode_items(array.ravel().tolist(), path)
            return {_TAG: "objects", "items": items, "shape": list(array.shape)}
        if array.dtype.kind not in "biufU" or array.dtype == np.longdouble:
            raise TypeError(f"{path} must hold numbers or str to be saved, got dtype {array.dtype}")
        entry = {_TAG: "array", "number": len(self.arrays)}
        array = np.asarray(array, dtype=array.dtype.newbyteorder("="), order="C")
        if array.dtype.kind == "U":
            entry |= {"dtype": f"U{array.dtype.itemsize // _CHARACTER_SIZE}", "shape": list(array.shape)}
            array = array.ravel().view(np.uint32)
        self.arrays.append(array)
        return entry

    def _encode_object(self, value: Any, path: str) -> dict:
        if id(value) in self._numbers:
            return {_TAG: "same", "number": self._numbers[id(value)]}
        if type(value) is np.random.RandomState:
            return self._number(value, {_TAG: "random_state", "state": self.encode(value.get_state(), path)})
        name = class_name(value)
        if name is None:
            raise TypeError(_explain(value, path))
        if hasattr(value, "_validate_params"):
            value._validate_params()  # load would refuse the file
        state = value.__getstate__()
        if isinstance(value, FlatArray):
            state = {key: column for key, column in state.items() if key not in _DERIVED}
        if isinstance(state, dict):
            state = self._without_run(state, path)
            check_sources(state)
        return self._number(value, {_TAG: "object", "class": name, "state": self.encode(state, path)})

    def _number(self, value: Any, encoded: dict) -> dict:
        """Number an object that has been encoded, so that it is encoded only once."""
        self._numbers[id(value)] = len(self._kept)
        self._kept.append(value)
        return encoded

    @staticmethod
    def _without_run(state: dict[str, Any], path: str) -> dict[str, Any]:
        """Return a state without the parameters that concern the run of a training."""
        if "checkpoint_dir" in state:
            state = {**state, "checkpoint_dir": None}
        if not state.get("callbacks"):
            return state
        warnings.warn(f"the callbacks of {path} are not saved: set them again after load", stacklevel=2)
        return {**state, "callbacks": None}


def _explain(value: Any, path: str) -> str:
    cls = type(value)
    if callable(value) and hasattr(value, "__code__"):
        return f"{path} cannot be saved, got a function: saved files hold no code; use pickle"
    name = f"{cls.__module__}.{cls.__qualname__}" if cls.__module__ != "builtins" else cls.__qualname__
    return (
        f"{path} cannot be saved, got an object of {name}: saved files hold the classes of sklearn_tree, "
        "pipelines of them, numbers, str and arrays; skops.io.dump saves other pipelines"
    )


class Decoder:
    """Decodes the values of an :class:`Encoder`, without executing anything that the values name.

    Parameters
    ----------
    arrays : sequence of ndarray
        The encoder's arrays.
    device : str or torch.device
        Device of the nets.
    cells : sequence of TreeCell subclasses
        The user's cells that nets may have.
    """

    def __init__(self, arrays: Sequence[np.ndarray], device: Any, cells: Sequence[type[TreeCell]]) -> None:
        self._arrays: list[np.ndarray | None] = [*arrays]
        self._device = device
        self._cells = {cell.__qualname__: cell for cell in cells}
        self._objects: list[Any] = []

    def decode(self, value: Any) -> Any:
        """Decode a value; invalid values raise errors of any type."""
        if type(value) in _PLAIN:
            return value
        if type(value) is list:
            return [self.decode(item) for item in value]
        if _TAG not in value:
            return {key: self.decode(item) for key, item in value.items()}
        if value[_TAG] not in _KINDS:
            raise ValueError(f"unknown value {value[_TAG]!r:.60}")
        return getattr(self, f"_decode_{value[_TAG]}")(value)

    def _decode_tuple(self, value: dict) -> tuple:
        return tuple(self.decode(value["items"]))

    def _decode_dict(self, value: dict) -> dict:
        items = [(self.decode(key), self.decode(item)) for key, item in value["items"]]
        for key, _ in items:
            if not (isinstance(key, (str, type(None))) or -_MAX_KEY < key < _MAX_KEY):
                raise ValueError(f"keys must be str or small numbers, got {key!r:.60}")
        return dict(items)

    def _decode_array(self, value: dict) -> np.ndarray:
        number = _check_position(value["number"])
        array, self._arrays[number] = self._arrays[number], None
        if array is None:
            raise ValueError(f"array {number} must occur only once")
        if "dtype" not in value:
            return array
        n = int(value["dtype"].removeprefix("U"))
        return array.view(np.dtype(f"U{n}")).reshape(value["shape"]) if n else np.empty(0, "U")

    def _decode_objects(self, value: dict) -> np.ndarray:
        items = self.decode(value["items"])
        array = np.empty(len(items), dtype=object)
        for i, item in enumerate(items):
            array[i] = item
        return array.reshape(value["shape"])

    def _decode_scalar(self, value: dict) -> Any:
        return self.decode(value["array"])[()]

    def _decode_random_state(self, value: dict) -> np.random.RandomState:
        name, key, position, *others = self.decode(value["state"])
        if name != "MT19937" or not (type(position) is int and 0 <= position <= len(key)):
            raise ValueError(
                f"the position of a random state must be in [0, {len(key)}], got {position!r:.60}"
            )
        generator = np.random.RandomState()
        generator.set_state((name, key, position, *others))
        self._objects.append(generator)
        return generator

    def _decode_cell(self, value: dict) -> type[TreeCell]:
        name = value["name"]
        if name not in self._cells:
            raise ValueError(f"the net has the cell {name!r}, which must be in cells, got {[*self._cells]}")
        return self._cells[name]

    def _decode_same(self, value: dict) -> Any:
        return self._objects[_check_position(value["number"])]

    def _decode_object(self, value: dict) -> Any:
        cls, state = find_class(value["class"]), self.decode(value["state"])
        if isinstance(state, dict):
            check_sources(state)
        restored: Any
        if issubclass(cls, FlatArray):
            columns = {name: column for name, column in state.items() if name not in _DERIVED}
            restored = cls(**columns)  # validates them
        else:
            if isinstance(state, dict) and "device" in state:
                state = self._moved(state)
            restored = cls.__new__(cls)
            if hasattr(restored, "__setstate__"):
                restored.__setstate__(state)
            else:
                vars(restored).update(state)
        if hasattr(restored, "_validate_params"):
            restored._validate_params()
        self._objects.append(restored)
        return restored

    def _moved(self, state: dict[str, Any]) -> dict[str, Any]:
        moved = {**state, "device": self._device}
        if "device_" in state:
            moved["device_"] = to_plain(resolve_device(self._device))
        return moved


_KINDS = ("tuple", "dict", "array", "objects", "scalar", "random_state", "cell", "same", "object")


def _check_position(number: Any) -> int:
    if type(number) is not int or number < 0:
        raise ValueError(f"a position must be an int >= 0, got {number!r:.60}")
    return number
