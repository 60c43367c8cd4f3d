"""Costs and gains of a trainer's precision and of compiling, and the choice of trainer.compile=auto (training floor).

auto compiles where the steps of a run gain more than compiling costs. It decides by the protocol, the number of steps
of the whole run and the device (a GPU, or a CPU with or without instructions for bf16) and nothing else: not by the
axes, nor by what an earlier run has left in a cache, nor by how far the run is. So the rows of a table are trained
alike on machines of one kind, and a run that is resumed on such a one goes on as it began.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path

from senet_repro.config.schema import DETECTION, Run
from senet_repro.config.validation import find_graph_obstacle
from senet_repro.core.durations import format_duration

# A training step costs its forward pass, and about twice that backward.
_PASSES = 3
# What Linux calls the instructions: of AMX, of AVX-512 and of ARM.
_BF16_FLAGS = {"amx_bf16", "avx512_bf16", "bf16"}


@dataclass(frozen=True, kw_only=True)
class _Speed:
    """The price and the gain of compiling on a device, and a step's time beside one in plain float32."""

    # Training and evaluation, cold: of every network, and for each of its convolutions. Units of one shape share code.
    compile_s: float
    compile_s_per_conv: float
    step_s_per_gmac: float  # of a plain step in float32
    # Shares of a plain step in float32: plain and compiled, by precision.
    plain: dict[str, float]
    compiled: dict[str, float]
    source: str  # of these figures, for a reader
    # Seconds of a step that its host takes and compiled code saves, whatever the network computes.
    host_s: float = 0.0

    def estimate_compile_s(self, convs: int) -> float:
        """Return the seconds of one thread that compiling a network of so many convolutions takes."""
        return self.compile_s + convs * self.compile_s_per_conv


# Measured on one thread of a Xeon with AMX, torch 2.14.1: SE-ResNet-29, CIFAR-10, batches of 128, channels_last; CPU
# seconds, medians of 12 paired rounds. Compiling it took 146 s, and SE-ResNet-11 79 to 117 s. Compiling and a step both
# spread over the threads of a process.
_CPU = _Speed(
    compile_s=90.0,
    compile_s_per_conv=2.0,
    step_s_per_gmac=0.065,
    plain={"32-true": 1.0, "bf16-mixed": 0.63},
    compiled={"32-true": 0.74, "bf16-mixed": 0.45},
    source="measured with SE-ResNet-29 on a Xeon with AMX",
)
# Measured on one thread of an AMD EPYC 7003 without AVX-512, torch 2.14.1, the same network at 16 pixels: images per
# second, medians of three rounds of 20 steps in turn. bf16 is computed in float32 there (training/bf16.py).
_CPU_WITHOUT_BF16 = replace(
    _CPU,
    plain={"32-true": 1.0, "bf16-mixed": 0.97},
    compiled={"32-true": 1.0, "bf16-mixed": 1.3},
    source="measured with SE-ResNet-29 on an EPYC without bf16",
)
# Computed and not measured, for one H100: the bytes that fused kernels save of networks bound by memory, and the
# launches that they save a host of 12 to 17 ms a step; compiling as torch's documentation lets one expect.
_GPU = _Speed(
    compile_s=30.0,
    compile_s_per_conv=1.0,
    step_s_per_gmac=4e-5,
    plain={"32-true": 1.0, "bf16-mixed": 0.6, "16-mixed": 0.6},
    compiled={"32-true": 0.85, "bf16-mixed": 0.5, "16-mixed": 0.5},
    source="computed for an H100, not measured",
    host_s=0.008,
)


def decide_compile(run: Run, is_on_gpu: bool) -> bool:
    """Return whether a run's network is to be compiled, as `trainer.compile` says or, if that is auto, by its steps."""
    # Code is compiled for a size, and pictures of objects have many.
    if run.task == DETECTION:
        return False
    if run.trainer.compile != "auto":
        return bool(run.trainer.compile)
    return has_compiler(is_on_gpu) and estimate_gain_s(run, is_on_gpu) > 0


def decide_graph(run: Run, is_on_gpu: bool) -> bool:
    """Return whether a run's step is to be a CUDA graph, as `trainer.graph` says; where that is auto, if it can."""
    if run.trainer.graph == "auto":
        return is_on_gpu and find_graph_obstacle(run) is None
    return bool(run.trainer.graph)


def estimate_gain_s(run: Run, is_on_gpu: bool) -> float:
    """Return the seconds that a whole run would gain by being compiled, less those that compiling takes."""
    convs, macs = weigh_plain_network(run)
    speed = _find_speed(is_on_gpu)
    trainer, precision = run.trainer, run.trainer.precision
    images = run.recipe.batch_size / (trainer.devices * trainer.nodes)
    step_s = speed.step_s_per_gmac * _PASSES * macs * images / 1e9
    gain_s = step_s * (speed.plain[precision] - speed.compiled[precision])
    # A graph of the whole step leaves the host nothing to do.
    if not decide_graph(run, is_on_gpu):
        gain_s += speed.host_s
    thread_s = count_steps(run) * gain_s - speed.estimate_compile_s(convs)
    return thread_s / _count_threads(run, is_on_gpu)


def _count_threads(run: Run, is_on_gpu: bool) -> int:
    """Return over how many threads compiling and a step spread; a GPU's speed knows none."""
    # Late, here and below: a run whose trainer says true or false needs none of it.
    import torch

    if is_on_gpu:
        return 1
    return run.trainer.threads or torch.get_num_threads()


def describe_speed(run: Run, is_on_gpu: bool) -> str | None:
    """Return in a line how a run is trained, and what a step takes beside one in plain float32.

    None where the device does not train in the precision of the run: a GPU's run may be looked at where there is none.
    """
    trainer = run.trainer
    speed = _find_speed(is_on_gpu)
    if trainer.precision not in speed.plain:
        return None
    compiles = decide_compile(run, is_on_gpu)
    words = "GPU" if is_on_gpu else "CPU"
    words += f", {trainer.precision}, {'compiled' if compiles else 'plain'}"
    if trainer.compile == "auto" and not compiles:
        reason = "no compiler"
        if has_compiler(is_on_gpu):
            # Not "too few steps": there may be 64,000, each of which gains next to nothing.
            reason = "the steps gain less than compiling costs"
        words += f" (trainer.compile=auto: {reason})"
    share = (speed.compiled if compiles else speed.plain)[trainer.precision]
    words += f": a step takes about {share:.2f} of one in plain float32, {speed.source}"
    if compiles:
        convs, _ = weigh_plain_network(run)
        compile_s = speed.estimate_compile_s(convs) / _count_threads(run, is_on_gpu)
        words += f", after {format_duration(compile_s)} of compiling a network for the first time"
    if trainer.precision == "bf16-mixed" and not is_on_gpu and lacks_bf16():
        words += "; this processor has no bf16 instructions, and 32-true is as fast on it"
    return words


def _find_speed(is_on_gpu: bool) -> _Speed:
    """Return what is known of the speed of a GPU, or of a processor like this one."""
    if is_on_gpu:
        return _GPU
    return _CPU_WITHOUT_BF16 if lacks_bf16() else _CPU


def estimate_gpu_hours(macs: int, precision: str) -> float:
    """Return the hours that one H100 would take for so many multiply-adds, uncompiled; computed and not measured."""
    seconds = macs / 1e9 * _GPU.step_s_per_gmac * _GPU.plain[precision]
    return seconds / 3600


def find_faster_trainer(run: Run, is_on_gpu: bool) -> str | None:
    """Return a line about trainer=gpu where a run takes a GPU but not its fast ways; None elsewhere."""
    if not is_on_gpu or (run.trainer.accelerator, run.trainer.precision) != ("auto", "32-true"):
        return None
    return "a GPU is here: trainer=gpu trains faster, in bf16-mixed, as runs of their own"


def lacks_bf16() -> bool:
    """Return whether this processor is known to compute bf16 by way of float32."""
    try:
        words = Path("/proc/cpuinfo").read_text(encoding="utf-8").split()
    # Only Linux keeps this file.
    except OSError:
        return False
    return "flags" in words and not _BF16_FLAGS.intersection(words)


def count_steps(run: Run) -> int:
    """Return the optimizer steps of a run from its first to its last epoch."""
    return run.recipe.epochs * count_epoch_steps(run)


def count_epoch_steps(run: Run) -> int:
    """Return the optimizer steps of an epoch; an incomplete batch at its end is dropped."""
    seen = run.data.found or run.data
    steps = seen.train_images // run.recipe.batch_size
    return min(steps, run.recipe.epoch_steps or steps)


# What this process has weighed, by the network's key and the side of its images: the runs of a table share one.
_WEIGHED: dict[tuple[str, int], tuple[int, int]] = {}


def weigh_plain_network(run: Run) -> tuple[int, int]:
    """Return the convolutions of a run's network without SE, and its multiply-adds of one training image."""
    from senet_repro.models import network_key

    plain = replace(run, r="none")
    key = (network_key(plain), run.data.train_px)
    if key not in _WEIGHED:
        _WEIGHED[key] = _weigh_network(plain)
    return _WEIGHED[key]


def _weigh_network(run: Run) -> tuple[int, int]:
    import torch

    from senet_repro.models import count_macs, network_of

    # Shapes are enough, and cost no memory.
    with torch.device("meta"):
        net = network_of(run)
    convs = sum(isinstance(module, torch.nn.Conv2d) for module in net.modules())
    return convs, count_macs(net, run.data.train_px)


def has_compiler(is_on_gpu: bool) -> bool:
    """Return whether torch finds what it compiles with: a C++ compiler, or for a GPU Triton and a C compiler."""
    if not is_on_gpu:
        return has_cpp_compiler()
    names = [os.environ["CC"]] if "CC" in os.environ else ["gcc", "clang"]
    return find_spec("triton") is not None and any(map(shutil.which, names))


def has_cpp_compiler() -> bool:
    """Return whether torch finds a C++ compiler, or would install one."""
    # As torch looks: it installs one itself where it is told to.
    if os.environ.get("TORCH_INDUCTOR_INSTALL_GXX"):
        return True
    command = os.environ.get("CXX", "clang++" if sys.platform == "darwin" else "g++")
    # It may have words before the compiler's own, as in `ccache g++`. A quote that nothing closes names none.
    try:
        words = shlex.split(command)
    except ValueError:
        return False
    return bool(words) and shutil.which(words[0]) is not None
