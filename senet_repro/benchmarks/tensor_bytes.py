"""Count how much memory a network's steps take (benchmarks floor)."""

from __future__ import annotations

import weakref
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import torch
from torch import nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from senet_repro.benchmarks.timing import Call, Setting, prepare_training

GPU_MEMORY = "Memory is the most that torch's allocator gave out in a training step, network and optimizer included."
CPU_MEMORY = (
    "Memory is the most bytes that tensors held at once in training steps, network and optimizer included, without "
    "what operators take for themselves and before any compiling; the CPU's allocator tells no peak."
)


class TensorBytes(TorchDispatchMode):  # type: ignore[no-untyped-call]
    """Counts the bytes of all tensors that are made while it is active: `with TensorBytes() as counted: ...`.

    Tensors that share their storage count once, and until the last of them is gone. What an operator allocates within
    itself is not seen, nor is compiled code.
    """

    def __init__(self) -> None:
        super().__init__()  # type: ignore[no-untyped-call]
        self.peak = 0
        self._held = 0
        self._known: set[int] = set()

    def __torch_dispatch__(
        self,
        operator: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Call an operator, and count what it returns."""
        result = operator(*args, **(kwargs or {}))
        for leaf in tree_leaves(result):
            if isinstance(leaf, torch.Tensor):
                self._count_storage(leaf.untyped_storage())
        self.peak = max(self.peak, self._held)
        return result

    def _count_storage(self, storage: torch.UntypedStorage) -> None:
        key, size = storage._cdata, storage.nbytes()
        if key in self._known:
            return
        self._known.add(key)
        self._held += size
        weakref.finalize(storage, self._drop_storage, key, size)

    def _drop_storage(self, key: int, size: int) -> None:
        self._known.discard(key)
        self._held -= size


def prepare_counted(build: Callable[[], nn.Module], setting: Setting) -> tuple[Call, int]:
    """Return a training step of a network that is warmed up, and the bytes that it takes at most."""
    if setting.device.type == "cuda":
        before = torch.cuda.memory_allocated(setting.device)
        call = prepare_training(build(), setting)
        # Only now: the first steps try algorithms, and compile.
        torch.cuda.reset_peak_memory_stats(setting.device)
        call()
        return call, torch.cuda.max_memory_allocated(setting.device) - before
    with TensorBytes() as counted:
        call = prepare_training(build(), replace(setting, is_compiled=False))
    if setting.is_compiled:
        call = prepare_training(build(), setting)
    return call, counted.peak
