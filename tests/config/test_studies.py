"""The files of studies: every one can be read, and a slip in one is named where it stands."""

from __future__ import annotations

from typing import Any

import pytest

from senet_repro.config import studies
from senet_repro.config.conf_dir import list_files
from senet_repro.config.studies import GROUP, load_study
from senet_repro.core.errors import ConfigError

CLAIM = {"section": "1", "says": "so", "figure": "x", "because": "why", "at_least": 1.0}


@pytest.mark.parametrize("name", list_files(GROUP))
def test_every_study_has_claims_with_a_reason_for_each_border(name: str) -> None:
    study = load_study(name)
    assert study.claims
    assert len({claim.says for claim in study.claims}) == len(study.claims)
    for claim in study.claims:
        assert claim.because
        assert not claim.because.endswith(".")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"at_least": None}, "the claim 'so': give at_least, at_most or both"),
        ({"at_most": 1.0}, "give an at_least below its at_most"),
        ({"atleast": 2.0}, "is no key or value of a study"),
        ({"because": None}, "is no key or value of a study"),
    ],
)
def test_a_slip_is_named(
    changes: dict[str, Any], message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stated = {"name": "cost", "section": "1", "title": "t", "claims": [{**CLAIM, **changes}]}
    monkeypatch.setattr(studies, "load_file", lambda _group, _name: stated)
    with pytest.raises(ConfigError, match=f"conf/study/cost.yaml: .*{message}"):
        load_study.__wrapped__("cost")


def test_an_unknown_study_is_refused_with_those_there_are() -> None:
    with pytest.raises(ConfigError, match="study=gates: give cost, excitation or importance"):
        load_study.__wrapped__("gates")
