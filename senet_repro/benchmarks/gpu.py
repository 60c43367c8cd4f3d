"""The probe of a GPU: what is right and how fast it is, within ten minutes (benchmarks floor; no torch).

Every section has a process of its own with a time limit, so that one that fails, hangs or takes a device down holds up
none of the others. What it has found out by then is kept: a line of JSON per section, as it ends.

No GPU was there when this was written. All sections were rehearsed on the CPU; what only CUDA has is read from torch's
own source: capture, MPS, TF32, counted synchronisations and decoding.
"""

from __future__ import annotations

import json
import math
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from senet_repro.benchmarks.measurement import Measurement
from senet_repro.benchmarks.options import BenchOptions, ProbeOptions
from senet_repro.benchmarks.processes import read_end, start_process, wait_or_stop
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.core.files import read_object, write_json
from senet_repro.core.printing import print_line
from senet_repro.core.slow_work import SlowWork

LIMIT_S = 560.0
"""A call may take ten minutes; starting the first process and bringing the files back need the rest."""

WORKER = "senet_repro.benchmarks.gpu_worker"
LINES_FILE = "gpu.jsonl"
# Less is not enough to import torch and find anything out.
LEAST_S = 15.0
ACCELERATOR = "trainer.accelerator="


@dataclass(frozen=True)
class Section:
    """A part of the probe: a function that takes a `Probe` and writes into `Findings`."""

    module: str
    function: str
    limit_s: float


def _describe_section(name: str, limit_s: float, file: str | None = None) -> Section:
    return Section(f"senet_repro.benchmarks.gpu_{file or name}", f"probe_{name}", limit_s)


# Correctness before speed: what is wrong need not be fast.
SECTIONS = {
    "env": _describe_section("env", 60),
    "correct": _describe_section("correct", 120),
    "steps": _describe_section("steps", 80),
    "resume": _describe_section("resume", 110),
    "speed": _describe_section("speed", 150),
    "procs": _describe_section("procs", 130),
    # It compiles six times.
    "cost": _describe_section("cost", 200, "benches"),
    "peers": _describe_section("peers", 80, "benches"),
    "step": _describe_section("step", 90, "benches"),
    "decode": _describe_section("decode", 40),
}


def measure_gpu(options: BenchOptions) -> list[Measurement]:
    """Take the sections one after the other, print what each found out, and return what they measured.

    Raises:
        ConfigError: there is no such section, or no GPU and no word that the CPU is to rehearse.
    """
    asked = options if isinstance(options, ProbeOptions) else ProbeOptions(**vars(options))
    accelerator = check_probe(asked)
    names = list(asked.sections or SECTIONS)
    limit_s = asked.limit_s or LIMIT_S
    end_s = time.monotonic() + limit_s
    measurements: list[Measurement] = []
    content = 0
    for name in names:
        found = _take_section(name, asked, accelerator, end_s)
        _keep_line(found, asked.output)
        measurements += [Measurement(**measured) for measured in found["measurements"]]
        content += not found["faults"]
    measurements.append(_count_content(content, len(names)))
    return measurements


def check_probe(options: ProbeOptions) -> str:
    """Return the device that is probed, if the probe can be; without torch, so that a refusal comes at once.

    Raises:
        ConfigError: as `measure_gpu`.
    """
    for name in options.sections:
        require_choice("bench gpu --only", name, SECTIONS)
    return _choose_accelerator(options)


def _choose_accelerator(options: ProbeOptions) -> str:
    """Return the device that is probed: the one that the overrides name, or the GPU.

    Raises:
        ConfigError: no GPU is seen, and the CPU was not asked for.
    """
    named = [word for word in options.overrides if word.startswith(ACCELERATOR)]
    accelerator = named[-1].removeprefix(ACCELERATOR) if named else "auto"
    if accelerator == "cpu":
        return accelerator
    with SlowWork("looking for a GPU"):
        from senet_repro.training.devices import list_visible_gpus
    if not list_visible_gpus():
        raise ConfigError(
            "bench gpu: no GPU is seen; bench gpu trainer.accelerator=cpu --quick rehearses it on the CPU"
        )
    return "gpu"


def _take_section(
    name: str, options: ProbeOptions, accelerator: str, end_s: float
) -> dict[str, Any]:
    """Take a section in a process of its own, and return what it found out, whatever became of it."""
    started_s = time.monotonic()
    # A rehearsal on the CPU takes as long as the machine needs, as far as the whole probe may.
    limit_s = SECTIONS[name].limit_s if accelerator == "gpu" else math.inf
    # The last seconds are for ending it.
    deadline_s = min(started_s + limit_s, end_s - 5)
    if deadline_s - started_s < LEAST_S:
        return _describe_findings(name, 0.0, {}, "no time was left for it")
    with tempfile.TemporaryDirectory(prefix="senet_repro-probe-") as place:
        folder = Path(place)
        request, file, log = (folder / each for each in ("probe.json", "found.json", "log.txt"))
        told = {
            "accelerator": accelerator,
            "folder": place,
            "deadline_s": deadline_s,
            "is_quick": options.is_quick,
            "data_root": options.data_root,
            "overrides": options.overrides,
        }
        write_json(request, told)
        command = [sys.executable, "-m", WORKER, name, str(request), str(file)]
        with SlowWork(f"probing {name}"), start_process(command, log) as process:
            exit_code = wait_or_stop(process, deadline_s)
        found = read_object(file)
        fault = None
        if exit_code is None:
            fault = f"was ended at its limit of {deadline_s - started_s:.0f} s"
        elif exit_code != 0 and not found.get("faults"):
            fault = f"ended with exit code {exit_code}: {read_end(log)}"
    return _describe_findings(name, time.monotonic() - started_s, found, fault)


def _describe_findings(
    name: str, took_s: float, found: dict[str, Any], fault: str | None
) -> dict[str, Any]:
    """Return what a section's line holds."""
    faults = list(found.get("faults", []))
    if fault is not None:
        faults.append(fault)
    return {
        "section": name,
        "took_s": round(took_s, 1),
        "faults": faults,
        "facts": found.get("facts", {}),
        "measurements": found.get("measurements", []),
    }


def _keep_line(found: dict[str, Any], output: str | None) -> None:
    """Print a section's line, and add it to the file in the output folder where there is one."""
    line = json.dumps(found)
    print_line(line)
    sys.stdout.flush()
    if output is None:
        return
    folder = Path(output)
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / LINES_FILE).open("a", encoding="utf-8") as file:
        file.write(line + "\n")


def _count_content(content: int, taken: int) -> Measurement:
    """Return how many sections found nothing wrong, so that a table shows it where one did."""
    share = content / taken
    return Measurement(
        what="sections that found nothing wrong",
        yardstick="all sections of the probe",
        unit="sections",
        ours=content,
        theirs=taken,
        ratio=share,
        lowest=share,
        highest=share,
        rounds=1,
        goal=1,
        is_more_better=True,
    )
