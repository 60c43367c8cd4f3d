"""How torch computes in this process while a run trains or is evaluated: TF32 and algorithms (training floor).

On a GPU three things beside the seed decide the last bits of a number:

- TF32: float32 convolutions and matrix products may be rounded to 10 bits of mantissa before they are multiplied.
  torch allows it for convolutions unless told otherwise; here only `trainer.tf32=true` does.
- cuDNN times its algorithms on the first batch of each shape (`cudnn.benchmark`) and keeps the fastest. Another process
  may time another one as the fastest, and some add their parts in no fixed order: a run that is resumed on a GPU need
  not end with the bits of an undisturbed one.
- `trainer.deterministic=true` leaves out both the timing and every algorithm without a fixed order. Then the same GPU
  with the same libraries gives the same bits, resumed or not; steps take longer.

None of it was tried on a GPU: the switches are read back on the CPU, and their meaning is torch's own documentation.
"""

from __future__ import annotations

import os
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import torch

from senet_repro.config.schema import Run

# Its name for buffers of which cuBLAS takes the same one for the same product, which torch asks for where algorithms
# are to be deterministic.
_CUBLAS_WORKSPACE = ("CUBLAS_WORKSPACE_CONFIG", ":4096:8")
# torch refuses the gradient of every adaptive maximum, since windows may overlap and then add to one element in any
# order. A squeeze has one window per channel.
_SQUEEZE_WARNING = r"adaptive_max_pool2d_backward_cuda does not have a deterministic implementation"


@contextmanager
def set_numerics(run: Run, is_on_gpu: bool) -> Iterator[None]:
    """Let torch compute in this process as the run's trainer asks for, and as before once the context ends.

    It has to be entered before CUDA multiplies its first matrices: cuBLAS reads its setting once.
    """
    with ExitStack() as settings:
        if is_on_gpu:
            # For good, and for every run: a later one of this process may ask for deterministic algorithms.
            os.environ.setdefault(*_CUBLAS_WORKSPACE)
            _set_gpu_switches(settings, run)
        if run.trainer.deterministic:
            _allow_deterministic_alone(settings, has_max_squeeze=run.squeeze == "max")
        yield


def _set_gpu_switches(settings: ExitStack, run: Run) -> None:
    """Set what the GPU's libraries may do, and put the restoring of each on the stack."""
    cudnn: Any = torch.backends.cudnn
    trainer = run.trainer
    _set_attribute(settings, cudnn, "allow_tf32", trainer.tf32)
    _set_attribute(settings, cudnn, "benchmark", not trainer.deterministic)
    _set_attribute(settings, cudnn, "deterministic", trainer.deterministic)
    before = torch.get_float32_matmul_precision()
    settings.callback(torch.set_float32_matmul_precision, before)
    torch.set_float32_matmul_precision("high" if trainer.tf32 else "highest")


def _allow_deterministic_alone(settings: ExitStack, has_max_squeeze: bool) -> None:
    """Let torch refuse every algorithm whose result may differ between two calls."""
    settings.callback(
        torch.use_deterministic_algorithms,
        torch.are_deterministic_algorithms_enabled(),
        warn_only=torch.is_deterministic_algorithms_warn_only_enabled(),
    )
    if has_max_squeeze:
        warnings.filterwarnings("ignore", _SQUEEZE_WARNING, UserWarning)
    torch.use_deterministic_algorithms(True, warn_only=has_max_squeeze)
    # It would fill each new tensor with NaN, to show who reads what was never written.
    _set_attribute(settings, torch.utils.deterministic, "fill_uninitialized_memory", False)


def _set_attribute(settings: ExitStack, owner: Any, name: str, value: bool) -> None:
    settings.callback(setattr, owner, name, getattr(owner, name))
    setattr(owner, name, value)
