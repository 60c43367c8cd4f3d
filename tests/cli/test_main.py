"""The command line as its user meets it: real processes, their output and exit codes."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from senet_repro import __version__
from senet_repro.cli import main, train
from senet_repro.cli.verbs import list_verbs
from senet_repro.config.composition import compose
from senet_repro.config.identity import run_dir
from senet_repro.config.paper_tables import paper_tables
from senet_repro.execution.execute import train_to_record
from senet_repro.training import devices
from tests.commands import ONE_EPOCH, InProcess, run_command, run_warm
from tests.counted_calls import count_calls
from tests.folders import finish

# A warning of this package is an error in every command that is started here.
STRICT = {"PYTHONWARNINGS": "error::UserWarning:senet_repro"}


def call(*arguments: str) -> subprocess.CompletedProcess[str]:
    return run_warm(*arguments, **STRICT)


def test_one_command_is_one_run_whose_last_line_names_its_record(tmp_path: Path) -> None:
    arguments = ["+ablation=reduction_ratio", "r=16", *ONE_EPOCH, f"results_dir={tmp_path}"]
    # A command as its user starts it, from the first import on.
    done = run_command(*arguments, **STRICT)
    assert done.returncode == 0, done.stderr
    path = Path(done.stdout.splitlines()[-1])
    assert json.loads(path.read_text())["name"] == "digits-resnet11-r16"
    assert [found.name for found in tmp_path.glob("*/seed*/record.json")] == ["record.json"]
    assert "digits-resnet11-r16 seed 0  top-1 err" in done.stderr
    assert "Table 10 has 6 rows: -m +ablation=reduction_ratio" in done.stderr


def test_a_sweep_trains_the_tables_rows_once_and_goes_on_after_a_failure(
    tmp_path: Path, answer: InProcess
) -> None:
    sweep = [
        "-m",
        "+ablation=squeeze",
        "squeeze=max,mean,avg",
        "seed=3",
        *ONE_EPOCH,
        f"results_dir={tmp_path}",
    ]
    first = call(*sweep)
    assert first.returncode == 2
    assert len(first.stdout.splitlines()) == 2
    assert "squeeze=mean: give avg, max or none" in first.stderr
    assert "[2/2] digits-resnet11-r16 seed 3" in first.stderr
    times = {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/seed*/record.json")}
    # Each knows the plan that the sweep wrote before them.
    plans = [json.loads(path.read_text())["plan"] for path in times]
    assert plans == [plans[0]] * 2
    assert (plans[0]["seeds"], plans[0]["tables"]) == ([3], ["squeeze"])
    assert (tmp_path / plans[0]["id"]).is_file()
    again = call(*sweep)
    assert again.stdout == first.stdout
    assert times == {path: path.stat().st_mtime_ns for path in tmp_path.glob("*/seed*/record.json")}
    table = answer("table", "--results", str(tmp_path), "--table", "11")
    assert "Table 11" in table.stdout
    assert not any("not run" in line for line in table.stdout.splitlines() if line.startswith("|"))
    rows = json.loads(
        answer("table", "--results", str(tmp_path), "--table", "squeeze", "--format", "json").stdout
    )
    assert [row["n"] for row in rows[0]["rows"]] == [1, 1]


def test_diverged_runs_are_named_at_the_end_with_exit_code_1(tmp_path: Path) -> None:
    done = call("-m", "r=2,4", "recipe.lr=1000", *ONE_EPOCH, f"results_dir={tmp_path}")
    assert done.returncode == 1
    assert "2 runs failed" in done.stderr
    assert done.stderr.count("the loss was not finite in epoch 1 of 1") == 2
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["sede=1"], "unknown key 'sede'; did you mean 'seed'?"),
        (["+sede=1"], "unknown key 'sede'; did you mean 'seed'?"),
        (["r=many"], "r=many: give a whole number"),
        (["model=resnet5"], "there is no model 'resnet5'"),
        (
            ["-m", "+ablation=stages", "seed=x"],
            "seed is a whole number of at least 0 and at most 4,294,967,295",
        ),
        (["results_dir=/dev/null/runs"], "/dev/null/runs"),
        (
            ["protocol=cifar10", "data.root=/nowhere", "results_dir=TMP"],
            "no cifar10 in /nowhere: looked for",
        ),
        (["protocol=imagenet", "data.root=TMP", "results_dir=TMP"], "no class folders in"),
        (["table", "--table", "99"], "no table '99'; there are 2 imagenet"),
        (
            ["+experiment=imagnet"],
            "there is no experiment 'imagnet'; there are cifar10, cifar100, coco, imagenet",
        ),
        (["table", "--format", "xml"], "table: --format=xml: give markdown, csv, json or latex"),
        (["table", "--format"], "table: --format needs a value"),
        (["table", "--fromat", "csv"], "table: there is no flag --fromat; did you mean --format?"),
        (["table", "runs"], "table: there is no place for runs; its flags are --help, --results"),
        (["sizes", "--what"], "sizes: there is no flag --what; there are --help and --format"),
        (["prune", "--yes=now"], "prune: --yes takes no value"),
        (["status", "--format", "json", "--watch"], "--watch and --format exclude each other"),
        (["power", "--power", "much"], "power: --power is a number, such as 0.8, not 'much'"),
        (["export"], "export: give run and file too"),
        (["bench", "tpu"], "bench: give input, step, cost, peers, jobs, campaign or gpu, not tpu"),
        (["bench", "r=16"], "bench: give input, step, cost, peers, jobs, campaign or gpu, not"),
        (["bench", "input", "r=16"], "bench: input takes no settings, and r=16 is one; step"),
        (["bench", "--only", "env"], "bench: --only and --limit are of the probe: give bench gpu"),
        (["bench", "step", "--limit", "9"], "bench: --only and --limit are of the probe"),
        (["bench", "gpu", "--limit", "0"], "bench: --limit is seconds above 0, such as 560"),
        (["--tabel", "10"], "a verb has no dashes: python -m senet_repro table"),
        (["--help", "tabel"], "there is no verb 'tabel'; did you mean table?"),
        (["table", "--table", "redction_ratio"], "did you mean reduction_ratio?"),
        (["table", "--table", ","], "give a name, such as 10 or reduction_ratio"),
        (["tabel"], "there is no verb 'tabel'; did you mean table?"),
        (["--results", "runs", "tabel"], "there is no verb 'tabel'; did you mean table?"),
        (["-m", "r=2,4", "statsu", "seed=1"], "there is no verb 'statsu'; did you mean status?"),
        (["r=16", "table"], "a verb comes first, as in python -m senet_repro table"),
        (["--cfg", "job", "foo"], "'foo' is no setting and no verb: give KEY=VALUE"),
        (["model=vgg16"], "the network takes no input of 8 px"),
        (["model=vgg16", "dry=true"], "the network takes no input of 8 px"),
        (
            ["export", "/nowhere", "net.pth"],
            "/nowhere/config.yaml is not there: give the folder of a run",
        ),
    ],
)
def test_what_cannot_be_is_refused_with_exit_code_2_and_no_traceback(
    arguments: list[str],
    message: str,
    tmp_path: Path,
    answer: InProcess,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # A network that takes no image of the set is found out in its run's folder.
    monkeypatch.chdir(tmp_path)
    done = answer(*(argument.replace("TMP", str(tmp_path)) for argument in arguments))
    assert done.returncode == 2
    # It is said as itself: not as a run that failed, and after no words of the libraries.
    said = [line for line in done.stderr.splitlines() if not line.endswith(" ...")]
    assert said[0].startswith("senet_repro: ")
    assert len(said) == 1
    assert message in said[0]


def test_the_help_shows_the_grid_every_table_and_every_verb(answer: InProcess) -> None:
    text = answer("--help").stdout
    for word in ("r=16", "NoSqueeze", "+ablation=reduction_ratio", *list_verbs(), *paper_tables()):
        assert word in text
    # Two screens of a small terminal: 30 lines of 80 columns.
    lines = text.splitlines()
    assert len(lines) <= 2 * 30
    assert max(map(len, lines)) <= 80
    reference = answer("--help", "all", "r=8").stdout
    assert reference.startswith(text)
    for word in ("resnet50", "batch_size: 128", "r: 8", "table [--results DIR]"):
        assert word in reference
    assert answer("--help", "table").stdout.startswith("usage: python -m senet_repro table")
    assert answer("+ablation=squeeze", "--cfg", "job").stdout.startswith(
        "r: 16\nsqueeze: avg\nexcitation: sigmoid\n"
    )


@pytest.mark.parametrize("arguments", [[], ["-m"]])
def test_a_command_that_asks_for_nothing_says_what_to_ask_for(
    arguments: list[str], answer: InProcess, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    done = answer(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "python -m senet_repro protocol=demo" in done.stderr
    assert not (tmp_path / "runs").exists()


def test_the_version_is_ours(answer: InProcess) -> None:
    assert answer("--version").stdout == f"senet_repro {__version__}\n"


@pytest.mark.parametrize(
    ("arguments", "most"),
    [
        (["--version"], 80_000),
        (["--help"], 600_000),
        (["model=x"], 1_000_000),
        (["table"], 3_600_000),
    ],
)
def test_help_tables_and_errors_need_no_torch_and_few_calls_of_functions(
    arguments: list[str], most: int, tmp_path: Path
) -> None:
    code = (
        "import sys, runpy\n"
        "sys.argv = ['senet_repro', *sys.argv[1:]]\n"
        "try: runpy.run_module('senet_repro', run_name='__main__')\n"
        "except SystemExit: pass\n"
        "assert 'torch' not in sys.modules and 'numpy' not in sys.modules"
    )
    # A million calls take about a third of a second.
    assert count_calls(tmp_path, code, *arguments, cwd=tmp_path)[0] < most


@pytest.mark.parametrize(("words", "goes_on"), [(["table"], False), (["r=16"], True)])
def test_only_of_runs_a_command_that_is_stopped_says_that_they_go_on(
    words: list[str], goes_on: bool, answer: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    def stop(*_: object) -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(main, "call_verb", stop)
    monkeypatch.setattr(train, "main", stop)
    done = answer(*words)
    assert done.returncode == 130
    assert "stopped" in done.stderr
    assert ("goes on from here" in done.stderr) == goes_on


def test_a_dry_sweep_says_what_is_left_and_trains_nothing(
    tmp_path: Path, answer: InProcess
) -> None:
    sweep = ["-m", "+ablation=no_squeeze", *ONE_EPOCH, f"results_dir={tmp_path}"]
    done = answer(*sweep, "dry=true")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("to train |") == 3
    # The sweep's fourth point is the plain network again.
    assert done.stdout.count("the same as above |") == 1
    assert "3 of 3 runs to train: 3,840 training images" in done.stdout
    assert list(tmp_path.glob("*/seed*")) == []
    finish(tmp_path, "stages=none", *ONE_EPOCH)
    again = answer(*sweep, "dry=true").stdout
    assert again.count("done |") == 1
    assert "2 of 3 runs to train: 2,560 training images" in again


def test_a_dry_run_says_that_the_images_are_not_there(tmp_path: Path, answer: InProcess) -> None:
    data = ["protocol=cifar10", "model=resnet11", "dry=true", f"results_dir={tmp_path}"]
    nowhere = answer(*data)
    assert nowhere.returncode == 0
    assert "not be trained yet: cifar10 is read from a folder of parquet files" in nowhere.stderr
    missing = answer(*data, f"data.root={tmp_path}/no")
    assert f"not be trained yet: no cifar10 in {tmp_path}/no" in missing.stderr
    assert "1 of 1 runs to train" in missing.stdout
    assert "trained yet" not in answer("dry=true", f"results_dir={tmp_path}").stderr


def test_a_dry_run_says_that_the_gpu_is_not_there(
    tmp_path: Path, answer: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "list_visible_gpus", list)
    done = answer("trainer=gpu", "dry=true", f"results_dir={tmp_path}")
    assert "not be trained yet: trainer.accelerator=gpu: this machine has 0 GPUs" in done.stderr
    assert "1 of 1 runs to train" in done.stdout


def test_a_dry_run_in_a_precision_of_gpus_is_planned_where_there_is_none(
    tmp_path: Path, answer: InProcess, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(devices, "list_visible_gpus", list)
    done = answer("trainer.precision=16-mixed", "dry=true", f"results_dir={tmp_path}")
    assert done.returncode == 0
    assert "not be trained yet: trainer.precision=16-mixed: torch trains in 16-bit" in done.stderr
    assert done.stdout.splitlines()[-1].startswith("1 of 1 runs to train")


def test_a_dry_sweep_plans_its_legal_points_and_names_the_others(
    tmp_path: Path, answer: InProcess
) -> None:
    placements = ["placement=standard,pre", "protocol=imagenet", "model=mobilenet"]
    done = answer("-m", *placements, "dry=true", f"results_dir={tmp_path}")
    assert done.returncode == 2
    assert "1 of 1 runs to train" in done.stdout
    assert "placement=pre: mobilenet offers standard" in done.stderr


def test_first_weights_come_from_a_file_and_a_wrong_one_is_refused(
    tmp_path: Path, answer: InProcess
) -> None:
    (tmp_path / "cut.pth").write_bytes(b"PK")
    weights = ["init.source=timm", f"init.weights={tmp_path / 'cut.pth'}"]
    done = answer(*weights, *ONE_EPOCH, f"results_dir={tmp_path}")
    assert done.returncode == 2
    assert "cut.pth cannot be read as weights" in done.stderr
    assert "Traceback" not in done.stderr


def test_a_network_that_nobody_released_is_not_exported(tmp_path: Path, answer: InProcess) -> None:
    path, _ = train_to_record(compose([*ONE_EPOCH, f"results_dir={tmp_path}"]), print)
    done = answer("export", str(path.parent), str(tmp_path / "net.safetensors"))
    assert done.returncode == 2
    assert "timm has no resnet11: it has resnet50" in done.stderr


def test_no_records_yet_says_how_to_make_some(tmp_path: Path, answer: InProcess) -> None:
    done = answer("table", "--results", str(tmp_path / "none"))
    assert done.returncode == 2
    assert "train the first: python -m senet_repro -m +ablation=reduction_ratio" in done.stderr


def test_every_failed_point_of_a_sweep_is_named(tmp_path: Path, answer: InProcess) -> None:
    done = answer(
        "-m", "r=2,0", "squeeze=mean,avg", "recipe.lr=1000", *ONE_EPOCH, f"results_dir={tmp_path}"
    )
    assert done.returncode == 2
    before, _, after = done.stderr.partition("4 runs failed")
    for words in (before, after):
        assert words.count("squeeze=mean: give") == words.count("r=0: give") == 1
    assert "points 3, 4 of the sweep are left out: r=0: give" in before
    table = answer("table", "--results", str(tmp_path))
    assert "failed: the loss was not finite" in table.stdout


def test_a_sweep_names_a_broken_record(tmp_path: Path, answer: InProcess) -> None:
    broken, _ = (finish(tmp_path, r, *ONE_EPOCH) for r in ("r=2", "r=4"))
    record = run_dir(broken) / "record.json"
    record.write_text("{")
    again = answer("-m", "r=2,4", *ONE_EPOCH, f"results_dir={tmp_path}")
    assert again.returncode == 2
    assert "1 of 2 runs have their record already" in again.stderr
    assert f"{record}: not a readable record" in again.stderr
    assert "delete it to train the run anew" in again.stderr
