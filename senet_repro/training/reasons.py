"""Say why torch failed in words that name the setting which would help (training floor)."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

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
        reason, mend = describe_compile_error(error), "give trainer.compile=false"
        folder = find_code_folder(Path(run.results_dir))
        if str(folder) in reason:
            # A file there is damaged, and torch would take it again and again.
            mend = f"delete {folder} and give the same command again, or {mend}"
        return RunFailed(f"torch could not compile the network ({reason}): {mend}")
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


def find_code_folder(results_dir: Path) -> Path:
    """Return the folder beside the runs where torch keeps what it compiles."""
    return results_dir.absolute() / ".cache" / "compiled"


def describe_compile_error(error: Exception) -> str:
    """Return in a line what torch's compiler could not do; the first line of its message may only name the compiler."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    if len(lines) > 1 and lines[0].endswith("raised:"):
        return lines[1]
    return lines[0] if lines else type(error).__name__


def is_of_compilation(error: Exception) -> bool:
    """Return whether an error is one of torch's compiler, which names what it could not compile."""
    return type(error).__module__.startswith(("torch._dynamo", "torch._inductor"))
