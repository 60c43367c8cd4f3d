"""Measure what SE costs one network: training step, inference, memory and energy, in turn with it left out.

`cost` keeps these for the paper's networks (section 4); the benchmark of that name looks at any network (benchmarks
floor).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial

import torch

from senet_repro.benchmarks.cost import build_network, check_gradients
from senet_repro.benchmarks.energy import find_energy_counter, measure_joules
from senet_repro.benchmarks.machine import describe_machine
from senet_repro.benchmarks.measurement import take_rounds
from senet_repro.benchmarks.network_settings import PRECISIONS, Plan
from senet_repro.benchmarks.tensor_bytes import CPU_MEMORY, GPU_MEMORY, prepare_counted
from senet_repro.benchmarks.timing import Call, Setting, prepare_inference, time_calls
from senet_repro.core.choice import require_choice
from senet_repro.models.cost import count_run, network_key
from senet_repro.results.costs import (
    INFERENCE,
    ONE_IMAGE,
    TRAINING_STEP,
    CostSetting,
    MeasuredCost,
    hash_cost,
)
from senet_repro.training.surroundings import describe_devices

Report = Callable[[str, int], None]
"""Is told which of `results.costs.KINDS` is timed, and how many rounds of it are done."""


def describe_setting(plan: Plan) -> CostSetting:
    """Return how the networks of a plan are timed.

    Raises:
        ConfigError: they cannot be timed in the precision of the run.
    """
    setting = _choose_setting(plan)
    return CostSetting(
        device=describe_devices(plan.device, 1)["name"],
        device_type=plan.device.type,
        precision=setting.precision,
        is_compiled=setting.is_compiled,
        batch=setting.batch,
        threads=None if plan.is_on_gpu else torch.get_num_threads(),
        memory_format="channels_last",
        torch=str(torch.__version__),
    )


def find_cost_key(plan: Plan, is_quick: bool) -> str:
    """Return the key of the measurement that a plan is of."""
    return hash_cost(network_key(plan.run), plan.px, describe_setting(plan), is_quick)


def measure_network(plan: Plan, is_quick: bool, report: Report) -> MeasuredCost:
    """Return what SE costs the network of a plan.

    Raises:
        RuntimeError: the gate's own gradients are not those of the plain formula.
    """
    setting = _choose_setting(plan)
    single = replace(setting, batch=1)
    checked = check_gradients(plan)
    # Before the clock runs: the measurement itself would be counted as load.
    machine = describe_machine()
    steps, memory_bytes = _prepare_steps(plan, setting)
    times_ms = {TRAINING_STEP: _time_pair(plan, steps, partial(report, TRAINING_STEP))}
    energy_j, energy_is = _measure_energy(plan, steps)
    # Given back: inference needs no gradients.
    del steps
    for kind, of in ((INFERENCE, setting), (ONE_IMAGE, single)):
        calls = [prepare_inference(build_network(plan, with_se), of) for with_se in (False, True)]
        # As many images in each figure, so that a CPU's clock is as exact for single ones.
        images = setting.batch // of.batch if not plan.is_on_gpu else 1
        timed = replace(plan, calls=plan.calls * images)
        times_ms[kind] = _time_pair(timed, calls, partial(report, kind))
    counts = [count_run(run) for run in (replace(plan.run, r="none"), plan.run)]
    return MeasuredCost(
        key=find_cost_key(plan, is_quick),
        network=plan.run.model.name,
        px=plan.px,
        setting=describe_setting(plan),
        is_quick=is_quick,
        params=[params for params, _ in counts],
        macs=[macs for _, macs in counts],
        times_ms=times_ms,
        memory_bytes=memory_bytes,
        memory_is=GPU_MEMORY if plan.is_on_gpu else CPU_MEMORY,
        energy_j=energy_j,
        energy_is=energy_is,
        checked=checked,
        machine=machine,
    )


def _choose_setting(plan: Plan) -> Setting:
    """Return the setting of a run's own precision, compiled if it says so; on a GPU auto says so, too."""
    trainer = plan.run.trainer
    require_choice("trainer.precision", trainer.precision, PRECISIONS)
    is_compiled = trainer.compile is True
    if trainer.compile == "auto":
        is_compiled = plan.is_on_gpu
    return plan.choose_setting(trainer.precision, is_compiled=is_compiled)


def _prepare_steps(plan: Plan, setting: Setting) -> tuple[list[Call], list[int]]:
    """Return the training steps without and with SE, and the bytes that each takes at most."""
    calls, memory_bytes = [], []
    for with_se in (False, True):
        call, size = prepare_counted(partial(build_network, plan, with_se), setting)
        calls.append(call)
        memory_bytes.append(size)
    return calls, memory_bytes


def _time_pair(
    plan: Plan, calls: Sequence[Call], report: Callable[[int], None]
) -> list[list[float]]:
    """Return the milliseconds of each round without SE and with it."""
    plain, with_se = (partial(time_calls, call, plan.device, plan.calls) for call in calls)
    return [*take_rounds(plain, with_se, plan.rounds, report)]


def _measure_energy(plan: Plan, calls: Sequence[Call]) -> tuple[list[list[float]], str]:
    """Return the joules of a step in each round without SE and with it, none where nothing tells, and a sentence."""
    read, energy_is = find_energy_counter(plan.device)
    if read is None:
        return [], energy_is
    wait = partial(torch.cuda.synchronize, plan.device)
    plain, with_se = (
        partial(measure_joules, call, read, wait, time.perf_counter) for call in calls
    )
    return [*take_rounds(plain, with_se, plan.rounds)], energy_is
