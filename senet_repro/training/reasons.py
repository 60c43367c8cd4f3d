"""Say why torch failed in words that name the setting which would help (training floor)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from senet_repro.config.schema import Run
from senet_repro.core.errors import ConfigError, RunFailed
from senet_repro.data.workers import explain_worker_death
from senet_repro.training.devices import NO_COMPILER
from senet_repro.training.memory import explain_memory


@contextmanager
def explain_failure(run: Run) -> Iterator[None]:
    """Turn errors of torch that a setting or the machine brings about into ones that name the mend.

    Raises:
        ConfigError: the run cannot be with its settings on this machine.
        OutOfMemory: memory ran out.
        RunFailed: it failed for a reason that may pass, or a process that loads batches died.
    """
    try:
        with explain_memory(run), explain_worker_death():
            yield
    except Exception as error:
        explained = find_explanation(error, run)
        if explained is None:
            raise
        raise explained from error


def find_explanation(error: Exception, run: Run) -> Exception | None:
    """Return the error in words that name the mend; None if it is none of those that are known."""
    text = str(error)
    if "Expected more than 1 value per channel" in text:
        return ConfigError(_describe_single_value(run))
    if _is_about_compiler(text):
        return ConfigError(NO_COMPILER)
    if is_of_compilation(error):
        return RunFailed(
            f"torch could not compile the network ({text.strip().splitlines()[0]}): "
            "give trainer.compile=false"
        )
    if "EADDRINUSE" in text or "address already in use" in text:
        port = os.environ.get("MASTER_PORT")
        return RunFailed(
            f"another process took port {port}, where the devices were to meet: give the same command again"
        )
    return None


def _describe_single_value(run: Run) -> str:
    devices = run.trainer.devices * run.trainer.nodes
    images = run.recipe.batch_size // devices // run.trainer.accumulate
    return (
        f"batch normalisation has one value per channel, since {images} image at a time comes to a map of one pixel: "
        "give a larger recipe.batch_size, fewer trainer.devices or trainer.accumulate, or a larger data.train_px"
    )


def _is_about_compiler(text: str) -> bool:
    signs = ("No working C++ compiler", "InvalidCxxCompiler", "Failed to find C compiler")
    return any(sign in text for sign in signs)


def is_of_compilation(error: Exception) -> bool:
    """Return whether an error is one of torch's compiler, which names what it could not compile."""
    return type(error).__module__.startswith(("torch._dynamo", "torch._inductor"))
