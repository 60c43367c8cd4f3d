"""A network's training step or inference under the clock, on any device (benchmarks floor)."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import nn
from torch.nn import functional as F

from senet_repro.training.compilation import compile_network

Call = Callable[[], object]

# Calls before the clock runs: libraries choose algorithms at the first, and compilers compile.
WARM_UP_CALLS = 2


@dataclass(frozen=True, kw_only=True)
class Setting:
    """Holds how two networks are set beside each other: both get the same images, channels last."""

    device: torch.device
    precision: (
        str  # a word of trainer.precision: 32-true or bf16-mixed, or 64-true of the network's own
    )
    batch: int
    px: int
    classes: int = 1000
    is_compiled: bool = False

    def describe(self) -> str:
        """Return it in words, such as "batch 256, 224 px, bf16-mixed, compiled, cuda"."""
        words = [f"batch {self.batch}", f"{self.px} px", self.precision]
        if self.is_compiled:
            words.append("compiled")
        words.append(self.device.type if self.device.type == "cuda" else "one CPU core")
        return ", ".join(words)

    def draw_images(self) -> torch.Tensor:
        """Return a batch of noise, the same at each call."""
        generator = torch.Generator().manual_seed(0)
        images = torch.randn(self.batch, 3, self.px, self.px, generator=generator)
        return images.to(self.device, memory_format=torch.channels_last)

    def place_network(self, net: nn.Module) -> None:
        """Bring a network to the device and, if asked for, let it be compiled when it is called."""
        net.to(self.device, memory_format=torch.channels_last)  # type: ignore[call-overload]
        if self.is_compiled:
            compile_network(net)

    def cast_operations(self) -> torch.autocast:
        """Return the context in which the network computes in the precision."""
        is_bf16 = self.precision == "bf16-mixed"
        return torch.autocast(self.device.type, torch.bfloat16, enabled=is_bf16)


def prepare_training(net: nn.Module, setting: Setting) -> Call:
    """Return a training step of a network: loss, gradients and SGD with momentum; it is warmed up already."""
    setting.place_network(net)
    net.train()
    images = setting.draw_images()
    labels = torch.arange(setting.batch, device=setting.device) % setting.classes
    optimizer = torch.optim.SGD(net.parameters(), lr=1e-3, momentum=0.9)

    def train_step() -> None:
        with setting.cast_operations():
            loss = F.cross_entropy(net(images), labels)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return warm_up(train_step)


def prepare_inference(net: nn.Module, setting: Setting) -> Call:
    """Return a call of a network in evaluation mode, without gradients; it is warmed up already."""
    setting.place_network(net)
    net.eval()
    images = setting.draw_images()

    def infer_batch() -> None:
        with torch.no_grad(), setting.cast_operations():
            net(images)

    return warm_up(infer_batch)


def warm_up(call: Call) -> Call:
    """Return the call once it was made a few times."""
    for _ in range(WARM_UP_CALLS):
        call()
    return call


def time_calls(call: Call, device: torch.device, calls: int) -> float:
    """Return the milliseconds of one of several calls: of the clock on a GPU, and of computing on the CPU.

    A CPU's clock goes on while other processes compute. Its threads' times are added up, so give it one thread.
    """
    if device.type != "cuda":
        started_s = time.process_time()
        for _ in range(calls):
            call()
        return (time.process_time() - started_s) / calls * 1e3
    # A GPU works through a queue, whose end is waited for on either side.
    torch.cuda.synchronize(device)
    started_s = time.perf_counter()
    for _ in range(calls):
        call()
    torch.cuda.synchronize(device)
    return (time.perf_counter() - started_s) / calls * 1e3
