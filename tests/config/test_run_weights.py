"""The file of a run's weights is found by its name, wherever the run lies, and makes the key of what starts from it."""

from __future__ import annotations

from pathlib import Path

import pytest

from senet_repro.config.composition import compose
from senet_repro.config.identity import build_identity, run_key, run_name
from senet_repro.config.run_weights import (
    find_run_weights,
    name_kept_weights,
    name_last_checkpoint,
)
from senet_repro.core.errors import ConfigError

RUN = "digits-resnet11-r16-abababab"


def make_checkpoint(folder: Path, content: str = "weights") -> Path:
    checkpoint = name_last_checkpoint(folder)
    checkpoint.parent.mkdir(parents=True)
    checkpoint.write_text(content)
    return folder


def test_a_folder_stands_for_its_checkpoint_and_without_one_for_what_was_kept(
    tmp_path: Path,
) -> None:
    trained = make_checkpoint(tmp_path / "runs" / RUN / "seed0")
    collected = tmp_path / "campaign" / RUN / "seed0"
    collected.mkdir(parents=True)
    assert find_run_weights(trained) == name_last_checkpoint(trained)
    assert find_run_weights(collected) == name_last_checkpoint(collected)
    kept = name_kept_weights(tmp_path / "campaign", RUN)
    kept.parent.mkdir()
    kept.touch()
    assert find_run_weights(collected) == kept
    assert find_run_weights(kept) == kept


def test_a_run_is_known_by_the_weights_that_it_starts_from_and_not_by_their_place(
    tmp_path: Path,
) -> None:
    here = make_checkpoint(tmp_path / "a" / RUN / "seed0")
    there = make_checkpoint(tmp_path / "b" / RUN / "seed0")
    other = make_checkpoint(tmp_path / "c" / RUN / "seed0", "others")
    run = compose([f"init.weights={here}"])
    assert run.init.source == "run"
    assert run_name(run) == "digits-resnet11-r16-from_run"
    assert build_identity(run)["init"] == {"source": "run", "sha256": run.init.sha256}
    same = [
        compose([f"init.weights={there}"]),
        compose([f"init.weights={name_last_checkpoint(here)}", "init.source=run"]),
    ]
    assert {run_key(one) for one in same} == {run_key(run)}
    assert run_key(compose([f"init.weights={other}"])) != run_key(run)
    with pytest.raises(ConfigError, match=r"last\.ckpt has the SHA-256"):
        compose([f"init.weights={other}", f"init.sha256={run.init.sha256}"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["init.weights=EMPTY"], "last.ckpt: No such file or directory; give the folder of a"),
        (["init.weights=nowhere", "init.source=run"], "give the folder of a finished run"),
        (["init.weights=EMPTY", "init.source=timm"], "Is a directory; give a file of weights"),
        (["init.weights=FILE"], "or give the folder of a run"),
        (["init.weights=FILE", "init.source=runs"], "init.source=runs: give"),
    ],
)
def test_what_holds_no_weights_is_refused_with_the_mend(
    words: list[str], message: str, tmp_path: Path
) -> None:
    empty, file = tmp_path / "empty", tmp_path / "file"
    empty.mkdir()
    file.touch()
    named = [word.replace("EMPTY", str(empty)).replace("FILE", str(file)) for word in words]
    with pytest.raises(ConfigError) as caught:
        compose(named)
    assert message in str(caught.value)
