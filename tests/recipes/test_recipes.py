"""Each recipe of CONTRIBUTING.md, followed in a copy of the project, is all that the command line needs.

The edits below are those of the recipes and nothing more. A recipe that needs another edit fails here.
"""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from tests.recipes.copies import ProjectCopy

SMALL = ("recipe.epochs=1", "recipe.batch_size=256", "trainer.accelerator=cpu")

# A network: a builder in the file of its family, and one YAML.
BUILDER = '''

@register_network
def resnet14(plan: SEPlan, classes: int) -> Classifier:
    """Return the CIFAR ResNet-14: basic units, option-A shortcuts."""
    return _build_basic(plan, classes, units_per_stage=2)
'''
NETWORK = """# ResNet-14 for 32x32 images.
name: resnet14
stages: [2, 3, 4]
placements: [standard, pre, post, identity, conv3x3]
input_px: 32
"""

# A value of an axis: one line of the schema.
EXCITATION = '"sigmoid": "Sigmoid", '
MORE_EXCITATION = '"sigmoid": "Sigmoid", "hardsigmoid": "Hardsigmoid", '

# A recipe: one YAML.
RECIPE = """# One pass, as short as can be.
name: sprint
epochs: 1
batch_size: 256
lr: 0.1
schedule: {kind: cosine}
"""

# A table: one YAML.
TABLE = """# @package _global_
hydra: {sweeper: {params: {excitation: "sigmoid,hardsigmoid"}}}

table:
  name: cheap_gate
  section: "6.3"
  title: A gate without exponentials
  baseline: sigmoid
  rows:
    sigmoid: {axes: {excitation: sigmoid}, figures: {top1_err_pct: 22.28, top5_err_pct: 6.03}}
    hard sigmoid: {axes: {excitation: hardsigmoid}}
  claims:
    - {section: "6.3", says: "the exact gate is better", kind: lower, rows: [sigmoid, hard sigmoid],
       smallest_effect: 0.2}
"""

# A verb: one file.
VERB = '''"""`python -m senet_repro count`: how many records there are."""

from __future__ import annotations

import argparse

from senet_repro.cli.options import add_results_option

DESCRIPTION = "The number of records. One line."


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare the arguments of the verb."""
    add_results_option(parser)
    parser.add_argument("--least", type=int, default=0, help="exit with 1 if there are fewer (0)")


def run_verb(options: argparse.Namespace) -> int:
    """Print the number of records."""
    from senet_repro.results.store import load_results

    count = len(load_results(options.results).records)
    print(f"{count} records")
    return 0 if count >= options.least else 1
'''


@pytest.fixture(scope="module")
def extended(tmp_path_factory: pytest.TempPathFactory) -> ProjectCopy:
    """A copy with a network, a table, a value of an axis, a recipe and a verb, and the table's rows trained once."""
    copy = ProjectCopy.make(tmp_path_factory.mktemp("extended"))
    copy.append("senet_repro/models/cifar.py", BUILDER)
    copy.add_file("conf/model/resnet14.yaml", NETWORK)
    copy.replace("senet_repro/config/schema.py", EXCITATION, MORE_EXCITATION)
    copy.add_file("conf/recipe/sprint.yaml", RECIPE)
    copy.add_file("conf/ablation/cheap_gate.yaml", TABLE)
    copy.add_file("senet_repro/cli/verbs/count.py", VERB)
    copy.call(
        *("-m", "+ablation=cheap_gate", "model=resnet14", "recipe=sprint"),
        "trainer.accelerator=cpu",
    )
    return copy


def read_records(copy: ProjectCopy) -> list[dict[str, object]]:
    paths = sorted(copy.folder.glob("runs/*/seed*/record.json"))
    return [json.loads(path.read_text()) for path in paths]


def test_a_network_and_a_recipe_train(extended: ProjectCopy) -> None:
    names = [record["name"] for record in read_records(extended)]
    assert names == ["digits-resnet14-r16", "digits-resnet14-r16-hardsigmoid"]
    help_text = extended.call("--help", "all")
    assert "resnet14" in help_text
    assert "sprint" in help_text


def test_a_value_of_an_axis_changes_what_a_network_computes(extended: ProjectCopy) -> None:
    first, second = (record["metrics"] for record in read_records(extended))
    assert first != second


def test_a_table_is_printed_and_judged(extended: ProjectCopy) -> None:
    printed = extended.call("table", "--table", "cheap_gate")
    assert "A gate without exponentials" in printed
    assert len(re.findall(r"^\| (?:hard )?sigmoid .*\(1\)", printed, re.MULTILINE)) == 2
    verdicts = extended.call("verdict", "--table", "cheap_gate")
    assert "the exact gate is better" in verdicts
    assert "inconclusive" in verdicts
    assert "cheap_gate" in extended.call("--help", "all")


def test_a_verb_answers_and_stands_in_the_help(extended: ProjectCopy) -> None:
    assert extended.call("count", "--least", "2") == "2 records\n"
    assert "usage: python -m senet_repro count [-h]" in extended.call("count", "--help")
    help_text = extended.call("--help", "all")
    usage = "python -m senet_repro count [--results DIR] [--least LEAST]\n"
    assert usage + "      The number of records\n" in help_text


# An axis: what a block multiplies by beside its gate.
LEFT_OUT = """    # Runs of before the axis keep their keys.
    if blocks["scale"] == AXIS_DEFAULTS["scale"]:
        del blocks["scale"]
"""
NAMED = """    if "scale" in blocks:
        yield f"scale{blocks['scale']}"
"""


def test_an_axis_changes_runs_and_leaves_older_keys_alone(tmp_path: Path) -> None:
    copy = ProjectCopy.make(tmp_path)
    copy.add_lines("conf/config.yaml", after="placement: standard", lines="scale: 1\n")
    config, models = "senet_repro/config", "senet_repro/models"
    ranged = "    scale: int = field(default=1, metadata=from_to(1, 1000))\n"
    copy.add_lines(f"{config}/schema.py", after='placement: str = "standard"', lines=ranged)
    field = "    scale: int = 1\n"
    copy.replace(
        f"{config}/identity.py", '"stages", "placement")', '"stages", "placement", "scale")'
    )
    copy.add_lines(f"{config}/identity.py", after="blocks = {axis: axes[axis]", lines=LEFT_OUT)
    copy.add_lines(f"{config}/identity.py", after="yield f\"r{blocks['r']}\"", lines=NAMED)
    copy.add_lines(f"{models}/se.py", after='placement: str = "standard"', lines=field)
    copy.replace(f"{models}/se.py", "self.fc, self.bias)", "self.fc, self.bias, self.scale)")
    init = r"bias: bool,?\n    \) -> None:"
    copy.replace_pattern(f"{models}/se.py", init, "bias: bool, scale: int\n    ) -> None:")
    built = "        self.scale = scale\n"
    copy.add_lines(f"{models}/se.py", after="self.excitation = EXCITATION[", lines=built)
    copy.replace(f"{models}/se.py", "        return s\n", "        return self.scale * s\n")
    argument = "    scale: int = 1,\n"
    copy.add_lines(f"{models}/registry.py", after='placement: str = "standard",', lines=argument)
    handed_on = "        scale=scale,\n"
    copy.add_lines(f"{models}/registry.py", after="placement=placement,", lines=handed_on)
    of_run = "        scale=run.scale,\n"
    copy.add_lines(f"{models}/registry.py", after="placement=run.placement,", lines=of_run)

    # The run that the project itself would train, and one beside it.
    known = run_dir(compose(["r=16"])).parent
    plan = copy.call("-m", "r=16", "scale=1,3", "dry=true")
    assert known.name in plan
    assert "digits-resnet11-r16-scale3-" in plan
    copy.call("r=16", "scale=3", *SMALL)
    (record,) = read_records(copy)
    axes = record["axes"]
    assert isinstance(axes, dict)
    assert axes["scale"] == 3
    printed = copy.call("table", "--table", "10")
    assert "no records" in printed


# A data set in memory: one YAML, and a reader in data/sets.py.
DATA = """# The digits as negatives.
name: negatives
kind: memory
title: negative digits
train_images: 1437
eval_images: 360
classes: 10
train_px: 8
eval_px: 8
mean: [177.1, 177.1, 177.1]
std: [95.9, 95.9, 95.9]
flip: false
proxy: 1,797 negatives of digits
"""
READER = '''

def _read_negatives(source: Source) -> Split:
    """Return the digits, white on black for black on white."""
    digits = load_digits()
    return Split(
        train=ImageSet(255 - digits.train.images, digits.train.labels),
        test=ImageSet(255 - digits.test.images, digits.test.labels),
    )


READERS["negatives"] = _read_negatives
'''


def test_a_data_set_is_trained_on_and_named_in_the_table(tmp_path: Path) -> None:
    copy = ProjectCopy.make(tmp_path)
    copy.add_file("conf/data/negatives.yaml", DATA)
    copy.append("senet_repro/data/sets.py", READER)
    copy.call("data=negatives", "r=16", *SMALL)
    assert [record["name"] for record in read_records(copy)] == ["negatives-resnet11-r16"]
    printed = copy.call("table", "--table", "10")
    assert "A proxy: 1,797 negatives of digits instead of ImageNet." in printed


# A metric of classification: how it is written and how it is measured, in one entry.
METRIC = """    Metric(key="top2", label="top-2", quantity="err", noun="error", rank=2): partial(
        _measure_top_k_error, 2
    ),
"""


def test_a_metric_is_recorded_and_printed(tmp_path: Path) -> None:
    copy = ProjectCopy.make(tmp_path)
    path = "senet_repro/tasks/classification/metrics.py"
    loss = '    Metric(key="loss"'
    copy.replace(path, loss, METRIC + loss)
    copy.call("r=16", *SMALL)
    (record,) = read_records(copy)
    metrics = record["metrics"]
    assert isinstance(metrics, dict)
    assert metrics["top5_err_pct"] <= metrics["top2_err_pct"] <= metrics["top1_err_pct"]
    assert "our top-2 err % (n)" in copy.call("table", "--table", "10")


# A task: a folder in tasks/ whose face names it.
TASK = '''"""Classification under another name."""

from senet_repro.tasks.classification import ClassificationTask


class TwinTask(ClassificationTask):
    """The task of sections 4 to 7 once more."""

    name = "twin"


TASK = TwinTask()
'''


def test_a_task_is_trained_by_its_name(tmp_path: Path) -> None:
    copy = ProjectCopy.make(tmp_path)
    copy.add_file("senet_repro/tasks/twin/__init__.py", TASK)
    copy.call("task=twin", "r=16", *SMALL)
    (record,) = read_records(copy)
    assert record["task"] == "twin"


# A logger: a file in mirrors/, and one YAML.
MIRROR = '''"""The epochs of a run as lines of plain text."""

from __future__ import annotations

from typing import Any

from senet_repro.mirrors.base import Mirror, register_mirror


@register_mirror("lines")
class LinesMirror(Mirror):
    """Write a line for each epoch to lines.txt."""

    def copy_epoch(self, metrics: dict[str, Any]) -> None:
        """Add the epoch's number and loss."""
        with (self.folder / "lines.txt").open("a", encoding="utf-8") as file:
            file.write(f"{metrics['epoch']} {metrics['loss']:.3f}\\n")
'''


def test_a_logger_copies_each_epoch(tmp_path: Path) -> None:
    copy = ProjectCopy.make(tmp_path)
    copy.add_file("senet_repro/mirrors/lines.py", MIRROR)
    copy.add_file("conf/logger/lines.yaml", "# Plain text.\nname: lines\n")
    copy.call("logger=lines", "r=16", *SMALL)
    (path,) = copy.folder.glob("runs/*/seed0/lines.txt")
    assert re.fullmatch(r"1 \d\.\d{3}\n", path.read_text())
