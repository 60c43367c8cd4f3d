"""`python -m senet_repro bench`: the ratios of speed that this project claims, measured on this machine."""

from __future__ import annotations

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib import import_module
from importlib.util import find_spec
from tempfile import TemporaryFile
from typing import cast

from senet_repro.benchmarks.gpu import LIMIT_S, check_probe
from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.options import BenchOptions, ProbeOptions
from senet_repro.benchmarks.report import BenchReport, format_text, write_report
from senet_repro.cli.options import parse_path
from senet_repro.core.errors import ConfigError, reason_of
from senet_repro.core.loading import loading_for_good
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.printing import print_line
from senet_repro.core.slow_work import SlowWork
from senet_repro.core.wording import join_words

DESCRIPTION = (
    "Speed as ratios, each measured beside a yardstick. Without a word, all that this machine can run, one after the "
    "other in processes of their own."
)

BENCHMARKS = {
    "input": ("senet_repro.benchmarks.input", "measure_input"),
    "step": ("senet_repro.benchmarks.step", "measure_step"),
    "cost": ("senet_repro.benchmarks.cost", "measure_cost"),
    "peers": ("senet_repro.benchmarks.peers", "measure_peers"),
    "jobs": ("senet_repro.benchmarks.jobs", "measure_jobs"),
    "campaign": ("senet_repro.benchmarks.campaign", "measure_campaign"),
    "gpu": ("senet_repro.benchmarks.gpu", "measure_gpu"),
}
"""The module and the function of each; the function takes `BenchOptions` and returns its measurements."""
TAKES_OVERRIDES = ("step", "cost", "peers", "jobs", "campaign", "gpu")
PROBE = "gpu"

Measure = Callable[[BenchOptions], list[Measurement]]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument("what", nargs="?", choices=tuple(BENCHMARKS), help="one alone")
    parser.add_argument(
        "overrides", nargs="*", help="of the run to measure, such as model=resnet29"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a rehearsal on tiny inputs; its figures say nothing"
    )
    parser.add_argument(
        "--data",
        type=parse_path,
        metavar="DIR",
        help="folder of real pictures, where they are measured",
    )
    parser.add_argument(
        "--output",
        type=parse_path,
        metavar="DIR",
        help="write NAME.md and NAME.json there, too; make bench gives experiments/bench",
    )
    parser.add_argument(
        "--limit",
        type=float,
        metavar="SECONDS",
        help=f"gpu: of the whole probe ({LIMIT_S:.0f})",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        metavar="SECTION",
        help="gpu: one section of the probe; may be repeated",
    )


def run_verb(options: argparse.Namespace) -> int:
    """Measure what was asked for, print it, and write it where a folder was given."""
    _refuse_foreign_options(options)
    # Before anything is loaded, let alone measured for minutes, whose figures would be lost.
    _check_overrides(options.overrides)
    _check_folders(options)
    if options.what is None:
        return _measure_all(options)
    return _measure_one(options)


def _refuse_foreign_options(options: argparse.Namespace) -> None:
    """Accept options that the benchmark has.

    Raises:
        ConfigError: it has no such option.
    """
    if options.what != PROBE and (options.only or options.limit is not None):
        raise ConfigError("bench: --only and --limit are of the probe: give bench gpu")
    if options.limit is not None and options.limit <= 0:
        raise ConfigError(f"bench: --limit is seconds above 0, such as {LIMIT_S:.0f}")
    if options.overrides and options.what not in TAKES_OVERRIDES:
        names = join_words(TAKES_OVERRIDES, "and")
        raise ConfigError(
            f"bench: {options.what} takes no settings, and {options.overrides[0]} is one; {names} do"
        )


def _check_overrides(overrides: Sequence[str]) -> None:
    """Refuse settings that no run has; their values are left to the benchmark, which knows the other settings.

    Raises:
        ConfigError: one is unknown or malformed.
    """
    if overrides:
        # Hydra's grammar takes a while to import.
        from senet_repro.config.overrides import read_run_overrides
        from senet_repro.config.settings import check_settings

        check_settings(read_run_overrides(overrides))


def _check_folders(options: argparse.Namespace) -> None:
    """Make the folder of `--output`, and refuse one that cannot be written to, or data that are not there.

    Raises:
        ConfigError: it is so; the message names the option.
    """
    if options.data is not None and not options.data.is_dir():
        raise ConfigError(
            f"bench: --data {options.data}: there is no such folder; give one of pictures"
        )
    if options.output is None:
        return
    try:
        options.output.mkdir(parents=True, exist_ok=True)
        # Whether a file can be made there, only making one tells.
        with TemporaryFile(dir=options.output):
            pass
    except OSError as error:
        raise ConfigError(
            f"bench: --output {options.output}: {error.strerror}; give a folder to write to"
        ) from error


def _measure_one(options: argparse.Namespace) -> int:
    """Measure one benchmark in this process; the exit code is 1 where a fast answer is wrong or a run fails."""
    name = options.what
    bench_options = _read_bench_options(options)
    if name == PROBE:
        check_probe(bench_options)
    # Lightning, which some of them import, imports matplotlib.
    set_matplotlib_folder()
    with loading_for_good("torch and Lightning"):
        measure = _find_benchmark(name)
        from senet_repro.benchmarks.machine import describe_machine
    # Before the measurement, whose own processes would be counted as the machine's load.
    machine = describe_machine()
    try:
        # The probe tells of its sections by itself.
        with nullcontext() if name == PROBE else SlowWork(f"measuring {name}"):
            measurements = measure(bench_options)
    except RuntimeError as error:
        print_line(f"senet_repro: bench {name}: {reason_of(error)}", file=sys.stderr)
        return 1
    report = BenchReport(
        name=name,
        machine=machine,
        measurements=measurements,
        overrides=bench_options.overrides,
        is_quick=bench_options.is_quick,
    )
    print(format_text(report, shutil.get_terminal_size().columns))
    if options.output is not None:
        write_report(options.output, report)
    return 0


def _find_benchmark(name: str) -> Measure:
    module, function = BENCHMARKS[name]
    return cast(Measure, getattr(import_module(module), function))


def _read_bench_options(options: argparse.Namespace) -> ProbeOptions:
    """Return what was asked for in the form that the benchmarks take."""
    data_root = None
    if options.data is not None:
        data_root = str(options.data)
    return ProbeOptions(
        overrides=tuple(options.overrides),
        is_quick=options.quick,
        data_root=data_root,
        limit_s=options.limit,
        sections=tuple(options.only),
        output=None if options.output is None else str(options.output),
    )


def _measure_all(options: argparse.Namespace) -> int:
    """Measure every benchmark that this machine can run; the exit code is 1 where one failed."""
    failed = []
    for number, name in enumerate(BENCHMARKS, 1):
        obstacle = _find_obstacle(name)
        if obstacle is not None:
            print_line(f"senet_repro: bench {name} is left out: {obstacle}", file=sys.stderr)
            continue
        print_line(f"senet_repro: bench {name} ({number} of {len(BENCHMARKS)})", file=sys.stderr)
        # In a process of its own: threads, caches and memory of one must not decide the figures of the next.
        if _run_to_end(_build_command(name, options)) != 0:
            failed.append(name)
        print(flush=True)
    if failed:
        print_line(f"senet_repro: failed: {join_words(failed, 'and')}", file=sys.stderr)
        return 1
    return 0


def _run_to_end(command: Sequence[str]) -> int:
    """Run a command and return its exit code; a signal that ends this process is passed on to it."""
    with subprocess.Popen(command) as process:
        try:
            return process.wait()
        except BaseException:
            # Told rather than killed: it may have processes of its own to end.
            process.terminate()
            raise


def _find_obstacle(name: str) -> str | None:
    """Return why this machine cannot run a benchmark; None where it can, as far as is seen from here."""
    if name == "peers" and find_spec("timm") is None:
        return "timm, its yardstick, is not installed"
    if name == PROBE:
        with SlowWork("looking for a GPU"):
            from senet_repro.training.devices import list_visible_gpus
        if not list_visible_gpus():
            return "no GPU is seen; bench gpu trainer.accelerator=cpu --quick rehearses it"
    return None


def _build_command(name: str, options: argparse.Namespace) -> list[str]:
    """Return the command that measures one benchmark alone, with the options of this one."""
    command = [sys.executable, "-m", "senet_repro", "bench", name]
    if options.quick:
        command.append("--quick")
    if options.data is not None:
        command += ["--data", str(options.data)]
    if options.output is not None:
        command += ["--output", str(options.output)]
    return command
