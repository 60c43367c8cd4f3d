"""A map scaled by its gate, and the gradients of that, in few passes over the map (models floor).

A gate adds 1 % to the multiply-adds of a network and far more to its time, since each operation on a map reads or
writes the whole of it. By autograd's own rules a training step reads or writes a map 16 times for
`base + s * u`, with s made of the average of u. The two functions here do with eight:

- the product and the sum are one operation;
- the products of which the gradient of s is a sum are never stored as a map, on the CPU;
- the gradient of u, which reaches it through the product and through the average, is written once.

On the CPU that takes 0.5 to 0.8 of the time. For other squeezes than the average nothing is gained that way.

Tensors bear the letters of se.py: u, z, s.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable

# A part of a map that stays in a processor's cache between two operations on it.
CACHED_BYTES = 2**20

# torch converts a whole map of these to float32 before it averages it on the CPU.
HALF_PRECISION = (torch.bfloat16, torch.float16)


def scale_map(u: Tensor, s: Tensor, base: Tensor | None = None, factor: float = 1.0) -> Tensor:
    """Return u * s, or `base + factor * u * s`: (N, C, H, W), for s of that shape or of (N, C, 1, 1)."""
    if base is None:
        return u * s
    if torch.is_grad_enabled():
        return torch.add(base, u * s, alpha=factor)
    # In one pass, whose gradients by autograd's rules would take more of them than those of the two above.
    return torch.addcmul(base, u, s, value=factor)


def writes_own_backward() -> bool:
    """Return whether gradients are asked for, and are to be those of this file."""
    return torch.is_grad_enabled() and not is_traced()


def is_traced() -> bool:
    """Return whether operations are only written down, by a compiler or for a count of multiply-adds.

    Both have to see the plain formula: the one fuses it better by itself, the other counts what it knows.
    """
    if torch.compiler.is_compiling():
        return True
    is_tracing: bool = torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    return is_tracing


class Link:
    """Hands what u is multiplied by to the backward pass of the squeeze, which comes after that of the scaling."""

    def __init__(self) -> None:
        self._gate: Tensor | None = None

    def hand_over(self, gate: Tensor) -> None:
        """Keep the gate until it is taken."""
        self._gate = gate

    def take_gate(self, like: Tensor) -> Tensor:
        """Return the gate, once; zeros in the shape of `like` if a gradient came through z alone."""
        gate = self._gate
        self._gate = None
        return torch.zeros_like(like) if gate is None else gate


class SqueezeMap(torch.autograd.Function):
    """Return u as it is, and its average z.

    The u that is returned is for `ScaleMap` alone, with the same link: its gradient is that of the scaled map.
    """

    @staticmethod
    def forward(ctx: Any, u: Tensor, average: nn.Module, link: Link) -> tuple[Tensor, Tensor]:
        """Return (u, z)."""
        ctx.link = link
        ctx.positions = u.shape[2] * u.shape[3]
        return u, average(u)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_scaled: Tensor, grad_z: Tensor) -> tuple[Tensor, None, None]:
        """Return the gradient of u, through the scaling and through z."""
        gate = ctx.link.take_gate(grad_z)
        through_z = grad_z / ctx.positions
        grad_u = torch.addcmul(through_z, grad_scaled, gate)
        return grad_u, None, None


class ScaleMap(torch.autograd.Function):
    """Return what `scale_map` does; the gradient of u is left to the `SqueezeMap` that it comes from."""

    @staticmethod
    def forward(
        ctx: Any, u: Tensor, s: Tensor, base: Tensor | None, factor: float, link: Link
    ) -> Tensor:
        """Return the scaled map, added to `base` if there is one."""
        ctx.save_for_backward(u, s)
        ctx.has_base = base is not None
        ctx.factor = factor
        ctx.link = link
        # No gradient is enabled here.
        return scale_map(u, s, base, factor)

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        """Return the gradients of u before it is scaled, of s and of base."""
        u, s = ctx.saved_tensors
        grad_s = sum_products(grad, u)
        # Without its history, in which the link itself stands: neither would ever be freed.
        gate = s.detach()
        if ctx.factor != 1:
            grad_s = grad_s * ctx.factor
            gate = gate * ctx.factor
        ctx.link.hand_over(gate)
        grad_base = grad if ctx.has_base else None
        return grad, grad_s, grad_base, None, None


def sum_products(a: Tensor, b: Tensor) -> Tensor:
    """Return a * b summed over all positions: (N, C, H, W) twice -> (N, C, 1, 1)."""
    images, channels = a.shape[:2]
    dtype = torch.promote_types(a.dtype, b.dtype)
    sums = b.new_empty(images, channels, 1, 1, dtype=dtype)
    for part in cut_batch(a):
        products = a[part] * b[part]
        torch.sum(products, (2, 3), keepdim=True, out=sums[part])
    return sums


def cut_batch(u: Tensor) -> Iterator[slice]:
    """Yield parts of a batch, one after another: on the CPU such that fit in its cache, elsewhere the whole."""
    images = len(u)
    if u.device.type == "cpu" and u.nbytes > CACHED_BYTES:
        image_bytes = u.nbytes // images
        images = max(CACHED_BYTES // image_bytes, 1)
    for start in range(0, len(u), max(images, 1)):
        yield slice(start, start + images)


class GlobalAverage(nn.AdaptiveAvgPool2d):
    """Returns the average over all positions: (N, C, H, W) -> (N, C, 1, 1)."""

    def __init__(self) -> None:
        super().__init__(1)

    def forward(self, u: Tensor) -> Tensor:
        """Return the average, by torch's own function wherever that is fast, has a gradient or has to be seen."""
        is_slow = u.device.type == "cpu" and u.dtype in HALF_PRECISION
        if not is_slow or torch.is_grad_enabled() or is_traced():
            return super().forward(u)
        z = u.new_empty(u.shape[0], u.shape[1], 1, 1)
        for part in cut_batch(u):
            z[part] = u[part].float().mean((2, 3), keepdim=True)
        return z
