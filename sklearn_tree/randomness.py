"""Random generators that are confined to a thread and a block."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext, suppress
from functools import cache
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

_active = threading.local()
_global_generators = threading.RLock()  # nested blocks seed them twice


class _Generators:
    """Generators with one seed, one for each device."""

    def __init__(self, seed: int) -> None:
        self._seed = seed
        self._of_device: dict[torch.device, torch.Generator] = {}

    def __getitem__(self, device: torch.device) -> torch.Generator:
        if device.index is None and device.type != "cpu":
            device = torch.empty(0, device=device).device  # with its index
        if device not in self._of_device:
            self._of_device[device] = torch.Generator(device).manual_seed(self._seed)
        return self._of_device[device]

    def get_states(self) -> dict[str, Tensor]:
        return {str(device): generator.get_state() for device, generator in self._of_device.items()}


@contextmanager
def own_generators(seed: int) -> Iterator[None]:
    """Let :func:`generator_for` return generators with this seed inside the block.

    Only code that runs in the same thread is affected, and torch's global generators are neither used nor
    changed.

    Parameters
    ----------
    seed : int
        Seed of the generators.
    """
    previous = getattr(_active, "generators", None)
    _active.generators = _Generators(seed)
    try:
        yield
    finally:
        _active.generators = previous


def generator_for(device: torch.device) -> torch.Generator | None:
    """Return the generator of the enclosing :func:`own_generators` for a device.

    Parameters
    ----------
    device : torch.device
        Device of the random numbers.

    Returns
    -------
    torch.Generator or None
        None outside of such a block, and for the meta device: torch then uses its global generator.
    """
    generators = getattr(_active, "generators", None)
    return None if generators is None or device.type == "meta" else generators[device]


def generator_states() -> dict[str, Tensor]:
    """Return the states of the generators of the enclosing :func:`own_generators` by the names of devices."""
    generators = getattr(_active, "generators", None)
    return {} if generators is None else generators.get_states()


def restore_generators(states: dict[str, Tensor]) -> None:
    """Restore the return value of :func:`generator_states` in the enclosing :func:`own_generators`.

    Parameters
    ----------
    states : dict of str to Tensor
        States by the names of devices. Devices that this machine does not have are left out.
    """
    for name, state in states.items():
        with suppress(RuntimeError):
            _active.generators[torch.device(name)].set_state(state)


class InjectedGenerators(TorchDispatchMode):
    """Context in which torch's random functions draw from :func:`generator_for`.

    It serves code that passes no generator, such as the initialisation of torch's modules and the cells of
    users. Each torch operator costs a few microseconds more inside the block.
    """

    def __torch_dispatch__(self, func: Any, types: Any, args: tuple = (), kwargs: Any = None) -> Any:
        """Run an operator, with a generator if it draws random numbers."""
        kwargs = kwargs or {}
        seedable = _find_seedable(func)
        if seedable is None or kwargs.get("generator") is not None:
            return func(*args, **kwargs)
        tensor = next((arg for arg in args if isinstance(arg, Tensor)), None)
        device = kwargs.get("device") or torch.device("cpu") if tensor is None else tensor.device
        generator = generator_for(device)
        if generator is None:
            return func(*args, **kwargs)
        if _accepts_generator(seedable):
            return seedable(*args, **{**kwargs, "generator": generator})
        seed = int(torch.randint(2**62, (), generator=generator, device=device))
        with _global_generators, seed_globally(seed, device):
            return func(*args, **kwargs)


@contextmanager
def seed_globally(seed: int, device: torch.device) -> Iterator[None]:
    """Seed torch's global generators inside the block and restore their states afterwards.

    Other threads that draw from these generators are affected.

    Parameters
    ----------
    seed : int
        Seed of the generators.
    device : torch.device
        The generators of the CPU and of this device are seeded.
    """
    is_accelerator = device.type not in ("cpu", "meta")
    index = 0 if device.index is None else device.index
    with torch.random.fork_rng(
        devices=[index] if is_accelerator else [], device_type=device.type if is_accelerator else "cuda"
    ):
        torch.random.default_generator.manual_seed(seed)
        if is_accelerator:
            module = getattr(torch, device.type)
            # Seed the generator of this device only: the others are not restored.
            with module.device(index) if hasattr(module, "device") else nullcontext():
                module.manual_seed(seed)
        yield


@cache
def _find_seedable(func: Any) -> Any:
    """Return the overload of a random operator that accepts a generator, else ``func``.

    None for operators that draw no random numbers.
    """
    if torch.Tag.nondeterministic_seeded not in func.tags:
        return None
    packet = func.overloadpacket
    overloads = [func, *(getattr(packet, name) for name in packet.overloads())]
    names = [name for name in _argument_names(func) if name != "generator"]
    return next(
        (
            f
            for f in overloads
            if [n for n in _argument_names(f) if n != "generator"] == names and _accepts_generator(f)
        ),
        func,
    )


@cache
def _accepts_generator(func: Any) -> bool:
    return "generator" in _argument_names(func)


def _argument_names(func: Any) -> list[str]:
    return [argument.name for argument in func._schema.arguments]
