"""Generated command lines, each with what must come of it.

A line asks for a choice of settings. The generator knows which of the values it takes are legal, so it knows the exit
code of the whole line, and for a legal one every run that it must train, setting by setting.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from random import Random
from typing import Any

import yaml

from senet_repro.config.keys import list_ranges

LEGAL = {
    "r": ["1", "2", "8", "16", "none"],
    "squeeze": ["avg", "max", "none"],
    "excitation": ["sigmoid", "tanh", "relu"],
    "stages": ["all", "all_but_last", "none", "[4]", "[2,4]"],
    "placement": ["standard", "pre", "post", "identity"],
    "se.fc": ["linear", "conv"],
    "se.bias": ["true", "false"],
    "seed": ["0", "7", "4294967295"],
    "recipe.epochs": ["1", "3", "100000"],
    "recipe.batch_size": ["1", "128", "1437"],
    "recipe.lr": ["0.1", "1e-3", "1000"],
    "recipe.momentum": ["0.9", ".5"],
    "recipe.weight_decay": ["0", "1e-4"],
    "recipe.label_smoothing": ["0", "0.1"],
    "recipe.nesterov": ["true", "false"],
    "recipe.cutout_px": ["0", "1", "7"],
    "recipe.schedule.kind": ["cosine", "plateau"],
    "data.pad_px": ["0", "1", "4"],
    "data.flip": ["true", "false"],
    "data.mean": ["[0,0,0]", "[77.9,77.9,77.9]"],
    "data.std": ["[1,1,1]", "[95.9,95,255]"],
    "trainer.threads": ["null", "1", "64"],
    "trainer.num_workers": ["0", "4"],
    "trainer.checkpoint_s": ["0", "3600"],
    "trainer.precision": ["32-true", "bf16-mixed"],
    "trainer.channels_last": ["true", "false"],
    "trainer.graph": ["true", "false"],
    "logger.project": ["mine", "20241126_0930", "1e3", "true"],
}
"""Settings of a run on the embedded digits, and legal values of each as they are typed."""

ILLEGAL = {
    "r": ["0", "-1", "2049", "2.5", "abc", "[1]", "true", "null", "1e3"],
    "squeeze": ["mean", "1", "null", "[avg]", "true"],
    "excitation": ["softmax", "{a:1}", "0"],
    "stages": ["[1]", "[9]", "[]", "[2,2]", "[two]", "most", "{}", "2.5"],
    "placement": ["before", "3", "null"],
    "se.bias": ["maybe", "2", "null", "[true]"],
    "recipe.nesterov": ["maybe", "null"],
    "trainer.precision": ["fp8", "32", "null"],
    "trainer.accelerator": ["tpu", "1"],
    "data.mean": ["[1]", "[1,2,300]", "[a,b,c]", "[nan,1,1]", "3", "null"],
    "data.crop_area": ["[2,1]", "[0.9,0.1]", "[0]", "abc"],
    "recipe.schedule.kind": ["poly", "null"],
    "recipe.cutout_px": ["8", "1000"],
    "data.pad_px": ["5", "1000"],
    "recipe.batch_size": ["1438", "2.5"],
    "model.name": ["foo"],
    "model.stages": ["[2]"],
    "data.name": ["foo", "cifar10"],
    "data.kind": ["folders"],
    "protocol.name": ["xyz"],
    "recipe.name": ["xyz"],
    "logger.name": ["csv"],
    "model": ["resnet51", "null", "{}"],
    "protocol": ["imagenet22k", "demo/demo"],
    "+ablation": ["reduction", "10", "[squeeze,stages]"],
    "+experiment": ["cifar", "null"],
    "table": ["10", "squeeze"],
    "results_dir": [""],
    "init.source": ["timm"],
    "init.weights": ["nowhere.pth"],
    "hydra.job.chdir": ["true"],
}
"""Settings with values that no run can have."""

# What people type for a setting that has another name, or none.
UNKNOWN = ["lr", "epochs", "gpus", "root", "bias", "reduction", "recipe.lrate", "foo.bar", "tabel"]
UNKNOWN += ["model.depth", "batch_size", "seeds"]
TEXTS = ["ops/données", "a b", "x=y", "run (1)", "20241126_0930", "1e3", "true", "日本", "a#b", "ü"]
"""Names of folders, to be taken as they are typed."""
MALFORMED = [
    "r=[1",
    "r={a",
    "stages=[2,3",
    "seed='0",
    "=3",
    "r",
    "r:16",
    "--r=4",
    "~",
    "+",
    "r=16)",
    "'",
    "🙂",
    "a=b=c",
    "r==3",
    "[r=1]",
]
"""Words that are no override at all."""
FLAGS = [
    "--nope",
    "--result",
    "--format=yaml",
    "--table=99",
    "--table=",
    "extra",
    "--results=nowhere",
    "--results",
]
VERBS = ["table", "verdict", "power", "status", "prune", "report"]
MISSPELT = ["tabel", "verdct", "staus", "purne", "reprot", "export", "evaluat"]
EMPTY_SWEEPS = ["seed=range(0,0)", "excitation=glob(*)", "seed=choice()", "r=range(8,8)"]


@dataclass(frozen=True)
class Line:
    """One command line, and what must come of it."""

    words: list[str]
    exit_code: int
    # The settings of each run to train: all that the line asks for, or those that can be.
    runs: list[dict[str, Any]] = field(default_factory=list)


def generate_lines(seed: int, count: int) -> list[Line]:
    """Return that many command lines; one seed always gives the same."""
    random = Random(seed)
    return [random.choices(MAKERS, WEIGHTS)[0](random) for _ in range(count)]


def _make_legal(random: Random) -> Line:
    settings = _choose_settings(random, 3)
    words = [f"{_mark(random)}{key}={_quote(random, text)}" for key, text in settings.items()]
    return Line(words, 0, [_expect(settings)])


def _make_sweep(random: Random) -> Line:
    """Sweep over two values of a setting beside another one, so that no two points are the same run."""
    # Neither decides a number: runs that differ in it alone share a folder, as all without an SE block do.
    keys = [key for key in LEGAL if not key.startswith(("trainer.", "logger."))]
    choices: dict[str, list[str]] = {}
    for key, count in zip(random.sample(keys, k=2), (2, 1), strict=True):
        texts = [text for text in LEGAL[key] if key not in ("r", "stages") or text != "none"]
        choices[key] = random.sample(texts, k=count)
    words = [f"{key}={','.join(texts)}" for key, texts in choices.items()]
    points = itertools.product(*choices.values())
    runs = [_expect(dict(zip(choices, texts, strict=True))) for texts in points]
    return Line([random.choice(["-m", "--multirun"]), *words], 0, runs)


def _make_illegal(random: Random) -> Line:
    legal = _choose_settings(random, 2)
    key, text = _choose_illegal(random)
    legal.pop(key, None)
    words = [f"{name}={value}" for name, value in legal.items()]
    words.insert(random.randint(0, len(words)), f"{key}={text}")
    return Line(words, 2)


def _make_illegal_sweep(random: Random) -> Line:
    """Sweep over a legal value, whose run is trained, and an illegal one; or over nothing."""
    if random.random() < 0.4:
        return Line(["-m", random.choice(EMPTY_SWEEPS)], 2)
    key, text = random.choice(
        [("r", "abc"), ("seed", "-1"), ("recipe.lr", "nan"), ("squeeze", "mean")]
    )
    legal = random.choice(LEGAL[key])
    texts = [legal, text]
    random.shuffle(texts)
    return Line(["-m", f"{key}={','.join(texts)}"], 2, [_expect({key: legal})])


def _make_unknown(random: Random) -> Line:
    key = random.choice([*UNKNOWN, _misspell(random, random.choice(list(LEGAL)))])
    return Line([f"{_mark(random)}{key}=1"], 2)


def _make_malformed(random: Random) -> Line:
    return Line([random.choice(MALFORMED), random.choice(["squeeze=max", "dry=true"])], 2)


def _make_verb(random: Random) -> Line:
    """Ask a verb for what it does not have, or misspell it."""
    if random.random() < 0.3:
        return Line([random.choice(MISSPELT), *random.sample(["--format", "r=3"], k=1)], 2)
    return Line([random.choice(VERBS), random.choice(FLAGS)], 2)


def _make_folder_name(random: Random) -> Line:
    text = random.choice(TEXTS)
    return Line([f"results_dir={text}", "r=8"], 0, [{"results_dir": text, "r": 8}])


def _choose_settings(random: Random, count: int) -> dict[str, str]:
    return {key: random.choice(LEGAL[key]) for key in random.sample(list(LEGAL), k=count)}


def _choose_illegal(random: Random) -> tuple[str, str]:
    """Choose a setting and a value that it cannot have: of the lists above, or just outside a number's range."""
    if random.random() < 0.5:
        key = random.choice(list(ILLEGAL))
        return key, random.choice(ILLEGAL[key])
    key, limits = random.choice([pair for pair in list_ranges().items() if pair[0] not in ILLEGAL])
    below, above = str(limits.least - 1), str(limits.greatest + 1)
    return key, random.choice([below, above, "nan", "-inf", "abc", "[]", "{}", "true", "1_x", "''"])


def _misspell(random: Random, key: str) -> str:
    at = random.randrange(len(key))
    return random.choice([f"{key}x", f"{key[:at]}_{key[at:]}", f"{key}.{key}", key.upper()])


def _mark(random: Random) -> str:
    """Return what may precede a key: Hydra adds, or adds and changes."""
    return random.choice(["", "", "", "++"])


def _quote(random: Random, text: str) -> str:
    may_quote = text.replace("_", "").isalpha() and text not in ("true", "false", "null")
    return f"'{text}'" if may_quote and random.random() < 0.3 else text


def _expect(settings: dict[str, str]) -> dict[str, Any]:
    """Return the value that each setting must have in the run."""
    return {key: _read_value(key, text) for key, text in settings.items()}


def _read_value(key: str, text: str) -> Any:
    # A name is what was typed, also where it looks like a number.
    if key == "logger.project":
        return text
    # YAML would take a number such as 1e-3, which has no dot, for text.
    try:
        return float(text)
    except ValueError:
        return yaml.safe_load(text)


_WEIGHTED = {
    # Composing takes most of the time, so that lines which train are the fewer.
    _make_legal: 4,
    _make_folder_name: 2,
    _make_sweep: 1,
    _make_illegal: 10,
    _make_illegal_sweep: 2,
    _make_unknown: 6,
    _make_malformed: 5,
    _make_verb: 8,
}
MAKERS, WEIGHTS = list(_WEIGHTED), list(_WEIGHTED.values())
