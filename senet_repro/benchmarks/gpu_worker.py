"""The process of one section of the probe (benchmarks floor).

python -m senet_repro.benchmarks.gpu_worker SECTION PROBE.json FINDINGS.json
"""

from __future__ import annotations

import json
import sys
import traceback
from importlib import import_module
from pathlib import Path

from senet_repro.benchmarks.gpu import SECTIONS
from senet_repro.benchmarks.gpu_probe import Findings, Probe
from senet_repro.core.errors import Stopped, reason_of
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.signals import convert_signals


def main() -> None:
    """Take one section; the exit code is 1 where it could not be ended."""
    convert_signals()
    # Lightning imports matplotlib.
    set_matplotlib_folder()
    name, request, file = sys.argv[1:]
    told = json.loads(Path(request).read_text(encoding="utf-8"))
    told["folder"] = Path(told["folder"])
    told["overrides"] = tuple(told["overrides"])
    findings = Findings(Path(file))
    try:
        take_section(name, Probe(**told), findings)
    except Stopped as stopped:
        sys.exit(stopped.exit_code)
    except Exception as error:
        traceback.print_exc()
        findings.note_fault(f"{type(error).__name__}: {reason_of(error)}")
        sys.exit(1)


def take_section(name: str, probe: Probe, findings: Findings) -> None:
    """Take a section in this process."""
    section = SECTIONS[name]
    take = getattr(import_module(section.module), section.function)
    take(probe, findings)


if __name__ == "__main__":
    main()
