"""`python -m senet_repro cost`: what SE costs the paper's networks on this machine (section 4)."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from senet_repro.cli.options import add_results_option
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError, reason_of
from senet_repro.core.loading import loading_for_good
from senet_repro.core.matplotlib_folder import set_matplotlib_folder
from senet_repro.core.printing import print_line, print_text

if TYPE_CHECKING:
    from senet_repro.benchmarks.network_settings import Plan
    from senet_repro.config.network_pairs import NetworkPair
    from senet_repro.results.costs import MeasuredCost

DESCRIPTION = (
    "What SE costs in time, memory and energy (section 4). Each network of Tables 2 and 3 is timed in turn with "
    "the same network without SE. Its settings are KEY=VALUE: model=resnet50 or model=resnet50,vgg16 (all of them), "
    "trainer.accelerator, trainer.precision, trainer.compile and recipe.batch_size (256 on a GPU, 8 on one core of a "
    "CPU). What was measured already in a setting is not measured again."
)

SETTINGS = (
    "model",
    "recipe.batch_size",
    "trainer",
    "trainer.accelerator",
    "trainer.precision",
    "trainer.compile",
)
"""The keys that a command may give."""

LEAST_ROUNDS = 2


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    parser.add_argument(
        "settings", nargs="*", metavar="KEY=VALUE", help="such as model=resnet50,resnet101"
    )
    add_results_option(parser)
    parser.add_argument(
        "--rounds",
        type=int,
        metavar="N",
        help="how often each of the two is timed, in turn (7); more on a busy machine",
    )
    parser.add_argument(
        "--anew", action="store_true", help="measure again what was measured before"
    )
    parser.add_argument(
        "--quick", action="store_true", help="a rehearsal on tiny inputs; its figures say nothing"
    )


def run_verb(options: argparse.Namespace) -> int:
    """Measure each network, print the tables with their verdicts, and return 1 where a fast answer is wrong.

    Raises:
        ConfigError: there is no such network or setting, a file cannot be read, or the folder not be written to.
    """
    pairs, settings = _read_words(options.settings)
    if options.rounds is not None and options.rounds < LEAST_ROUNDS:
        raise ConfigError(f"--rounds {options.rounds}: give {LEAST_ROUNDS} or more, such as 7")
    _check_settings(pairs, settings)
    # Lightning, which the devices need, imports matplotlib.
    set_matplotlib_folder()
    with loading_for_good("torch and Lightning"):
        import senet_repro.benchmarks.se_costs  # noqa: F401
    costs = []
    try:
        for cost in _measure_pairs(options, pairs, settings):
            costs.append(cost)
    except OSError as error:
        raise ConfigError(
            f"--results {options.results}: {error.strerror}; give a folder to write to"
        ) from error
    except RuntimeError as error:
        print_line(f"senet_repro: cost: {reason_of(error)}", file=sys.stderr)
        return 1
    print_text(_format_costs(costs))
    return 0


def _read_words(words: Sequence[str]) -> tuple[list[NetworkPair], list[str]]:
    """Return the networks that a command names, all without one, and its settings of the others.

    Raises:
        ConfigError: a word is no setting of this verb, or names a network that the paper does not print with SE.
    """
    from senet_repro.config.network_pairs import list_network_pairs

    pairs = list_network_pairs()
    names = list(pairs)
    settings = []
    for word in words:
        key, _, value = word.partition("=")
        if "=" not in word:
            raise ConfigError(f"cost: {word} is no setting; give KEY=VALUE, such as model=resnet50")
        require_choice("cost: setting", key, SETTINGS)
        if key != "model":
            settings.append(word)
            continue
        names = [name.strip() for name in value.split(",")]
        for name in names:
            require_choice("model", name, pairs)
    return [pairs[name] for name in dict.fromkeys(names)], settings


def _list_overrides(pair: NetworkPair, settings: Sequence[str]) -> tuple[str, ...]:
    """Return the overrides by which the paper's network is built, and timed as the command says."""
    from senet_repro.config.paper_tables import format_selection

    return (format_selection(pair.table), f"model={pair.network}", *settings)


def _check_settings(pairs: Sequence[NetworkPair], settings: Sequence[str]) -> None:
    """Refuse values that cannot be, before anything that takes long is imported.

    Raises:
        ConfigError: a value is malformed or out of its range.
    """
    from senet_repro.config.composition import compose
    from senet_repro.config.overrides import read_run_overrides

    compose(read_run_overrides(_list_overrides(pairs[0], settings)))


def _measure_pairs(
    options: argparse.Namespace, pairs: Sequence[NetworkPair], settings: Sequence[str]
) -> Iterator[MeasuredCost]:
    """Yield the costs of each network, which are written as soon as they are there.

    Raises:
        ConfigError: a file that is there cannot be read, or a network cannot be timed as the settings say.
        OSError: the folder cannot be written to.
        RuntimeError: SE's own gradients are wrong, or memory ran out.
    """
    from senet_repro.benchmarks.cost_progress import CostProgress
    from senet_repro.benchmarks.network_settings import take_device
    from senet_repro.benchmarks.options import BenchOptions
    from senet_repro.benchmarks.se_costs import measure_network
    from senet_repro.results.costs import write_cost

    progress = CostProgress({pair.network: pair.plain.gflops or 0.0 for pair in pairs})
    for pair in pairs:
        overrides = _list_overrides(pair, settings)
        with take_device(BenchOptions(overrides=overrides, is_quick=options.quick)) as plan:
            found = _find_measured(options, plan)
            if found is not None:
                progress.skip_network(pair.network)
                yield found
                continue
            if options.rounds is not None:
                plan = replace(plan, rounds=options.rounds)
            progress.begin_network(pair.network, plan.rounds)
            cost = measure_network(plan, options.quick, progress.report)
            path = write_cost(options.results, cost)
            print_line(f"senet_repro: cost {pair.network}: {path}", file=sys.stderr)
            yield replace(cost, path=path)


def _find_measured(options: argparse.Namespace, plan: Plan) -> MeasuredCost | None:
    """Return what was measured of a plan before, and say so; None where it is to be measured.

    Raises:
        ConfigError: its file cannot be read.
    """
    from senet_repro.benchmarks.se_costs import find_cost_key
    from senet_repro.results.costs import find_cost_file, read_cost

    network = plan.run.model.name
    path: Path = find_cost_file(options.results, network, find_cost_key(plan, options.quick))
    if options.anew or not path.exists():
        return None
    cost = read_cost(path)
    print_line(
        f"senet_repro: cost {network}: measured already, see {path}; --anew measures it again",
        file=sys.stderr,
    )
    return cost


def _format_costs(costs: Sequence[MeasuredCost]) -> str:
    """Return a table for each setting, and below them the verdicts and the files."""
    from senet_repro.report.tables.costs import build_cost_tables
    from senet_repro.report.text.costs import format_cost_markdown, format_cost_verdicts

    tables = build_cost_tables(costs)
    parts = [format_cost_markdown(table) for table in tables]
    parts += [format_cost_verdicts(tables), "\n".join(str(cost.path) for cost in costs)]
    return "\n\n".join(part for part in parts if part)
