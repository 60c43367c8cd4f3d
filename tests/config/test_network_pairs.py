"""The networks with and without SE: all of Tables 2 and 3, as their files train them."""

from __future__ import annotations

from omegaconf import OmegaConf

from senet_repro.config.conf_dir import CONF_DIR
from senet_repro.config.network_pairs import COST_TABLES, list_network_pairs
from tests.expected import read_expected


def test_every_network_that_tables_2_and_3_sweep_is_there_in_their_order() -> None:
    swept: list[str] = []
    for name in COST_TABLES:
        file = OmegaConf.load(CONF_DIR / "experiment" / f"{name}.yaml")
        swept += file.hydra.sweeper.params.model.split(",")
    assert list(list_network_pairs()) == swept
    assert len(swept) == 10


def test_the_two_rows_of_a_network_differ_in_se_alone_and_are_all_that_is_printed() -> None:
    pairs = list_network_pairs().values()
    for pair in pairs:
        assert pair.with_se.axes == {"model": pair.network}
        assert pair.plain.axes == {"model": pair.network, "stages": "none"}
    printed = [
        line["row"] for line in read_expected("published.csv") if line["table"] in COST_TABLES
    ]
    assert sorted(printed) == sorted(
        name for pair in pairs for name in (pair.plain_name, pair.se_name)
    )
