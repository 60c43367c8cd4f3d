"""The gates of a network's SE blocks: find the blocks, read what they let through, and hold it fixed (models floor).

A gate s is the output of a block's excitation: a value per channel and image or, without a squeeze, per channel,
position and image (section 7.1).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from string import ascii_lowercase

from torch import Tensor, nn

from senet_repro.models.layers import Classifier
from senet_repro.models.se import SEBlock

ReceiveGate = Callable[[str, Tensor], None]
"""Is told the name of a block and its gates (N, C), float32 at least, each time that the block is computed."""


def find_se_blocks(net: Classifier) -> dict[str, SEBlock]:
    """Return the SE blocks of a network in the order of its units, by the paper's names: SE_<stage>_<unit>.

    SE_2_3 stands in the third unit of the paper's stage 2 (section 7.2). Where a unit has several blocks, as those of
    Shake-Shake have on their branches, letters follow: SE_2_1a, SE_2_1b.
    """
    found = {}
    for stage, units in net.stages.items():
        assert isinstance(units, nn.Sequential)
        for number, unit in enumerate(units, start=1):
            blocks = [module for module in unit.modules() if isinstance(module, SEBlock)]
            for letter, block in zip(ascii_lowercase, blocks, strict=False):
                suffix = letter if len(blocks) > 1 else ""
                found[f"SE_{stage}_{number}{suffix}"] = block
    return found


@contextmanager
def watch_gates(blocks: Mapping[str, SEBlock], receive: ReceiveGate) -> Iterator[None]:
    """Tell the gates of each block to `receive` whenever a network computes them, while the context lasts.

    Gates per position are averaged over the positions.
    """
    with ExitStack() as stack:
        for name, block in blocks.items():
            handle = block.excitation.register_forward_hook(_report_output(name, receive))
            stack.callback(handle.remove)
        yield


@contextmanager
def hold_gates(block: SEBlock, gates: Tensor) -> Iterator[None]:
    """Let a block scale every image and position by the same gates (C,), while the context lasts."""

    def replace_output(_module: nn.Module, _inputs: tuple[Tensor, ...], s: Tensor) -> Tensor:
        return gates.to(s.dtype).view(1, -1, 1, 1).expand_as(s)

    handle = block.excitation.register_forward_hook(replace_output)
    try:
        yield
    finally:
        handle.remove()


def _report_output(
    name: str, receive: ReceiveGate
) -> Callable[[nn.Module, tuple[Tensor, ...], Tensor], None]:
    """Return a hook that reports the output of an excitation, (N, C, H, W), as gates (N, C)."""

    def report_output(_module: nn.Module, _inputs: tuple[Tensor, ...], s: Tensor) -> None:
        precise = s.detach().float() if s.element_size() < 4 else s.detach()
        receive(name, precise.mean((2, 3)))

    return report_output
