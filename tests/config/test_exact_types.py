"""Files of the grid read without OmegaConf: what is exact comes out as from it, and all else is left to it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from omegaconf import OmegaConf

from senet_repro.config import conf_dir, paper_tables
from senet_repro.config.conf_dir import CONF_DIR, TABLE_GROUPS, list_files, load_file
from senet_repro.config.exact_types import InexactError, build_exactly
from senet_repro.config.schema import Claim, PaperTable, Row
from senet_repro.core.errors import ConfigError

GROUPS = ("data", "hydra/help", "model", *TABLE_GROUPS)
TABLE = {"name": "mine", "title": "Mine", "rows": {"a": {"axes": {"r": 4}, "params_m": 1}}}


@pytest.mark.parametrize("group", GROUPS)
def test_a_file_holds_what_omegaconf_reads_in_it(group: str) -> None:
    for name in list_files(group):
        read = OmegaConf.to_container(OmegaConf.load(CONF_DIR / group / f"{name}.yaml"))
        # By their texts: 1, 1.0 and true are three things.
        assert repr(load_file(group, name)) == repr(read)


def test_words_that_yaml_takes_for_something_else_are_read_as_by_omegaconf(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(conf_dir, "CONF_DIR", tmp_path)
    file = tmp_path / "words.yaml"
    file.write_text(
        "{a: 1e-4, b: 2026-01-01, c: 1.5e3, d: -3E+2, e: 1.e5, f: e5, g: 1:30, h: ~, i: no}"
    )
    assert repr(load_file("", "words")) == repr(OmegaConf.to_container(OmegaConf.load(file)))
    file.write_text("{a: 1, b: 2, a: 3}")
    with pytest.raises(yaml.YAMLError):
        load_file("", "words")


def test_a_table_of_exact_types_is_that_of_omegaconf() -> None:
    schema = OmegaConf.structured(PaperTable)
    for group in TABLE_GROUPS:
        for name in list_files(group):
            stated = load_file(group, name)["table"]
            converted = OmegaConf.to_object(OmegaConf.merge(schema, stated))
            assert repr(build_exactly(PaperTable, stated)) == repr(converted)
    # A whole number where decimals may stand.
    assert repr(build_exactly(PaperTable, TABLE).rows["a"].params_m) == "1.0"


@pytest.mark.parametrize(
    ("kind", "stated"),
    [
        (PaperTable, None),
        (PaperTable, {**TABLE, "other": 1}),
        (PaperTable, {"name": "mine"}),
        (PaperTable, {**TABLE, "title": 5}),
        (PaperTable, {**TABLE, "title": "${name}"}),
        (PaperTable, {**TABLE, "title": "???"}),
        (PaperTable, {**TABLE, "number": "10"}),
        (PaperTable, {**TABLE, "number": True}),
        (PaperTable, {**TABLE, "rows": ["a"]}),
        (PaperTable, {**TABLE, "rows": {1: {}}}),
        (Row, {"axes": {"stages": [2, "${r}"]}}),
        (Row, {"axes": {"stages": {2: 3}}}),
        (Row, {"figures": {"top1_err_pct": "3.0"}}),
        (Row, {"params_m": True}),
        (Claim, {"says": "so", "kind": "lower", "rows": "a"}),
    ],
)
def test_what_is_not_exact_is_left_to_omegaconf(kind: type[Any], stated: Any) -> None:
    with pytest.raises(InexactError):
        build_exactly(kind, stated)


def test_a_slip_in_a_tables_file_is_named_as_omegaconf_does(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load_mine(_group: str, _name: str) -> dict[str, Any]:
        return {"table": {**TABLE, "rows": {"a": {"parms_m": 1.0}}}}

    monkeypatch.setattr(paper_tables, "load_file", load_mine)
    with pytest.raises(ConfigError, match=r"conf/ablation/mine.yaml: .*parms_m"):
        paper_tables._load_table("ablation", "mine")
