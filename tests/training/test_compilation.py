"""trainer.compile: every network of a process is compiled, and the rest of an evaluation costs no compilation."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn
from torch._inductor.runtime.cache_dir_utils import default_cache_dir

from senet_repro.training import compilation
from senet_repro.training.compilation import (
    CACHE_VARIABLE,
    CompileReport,
    compile_network,
    count_frames,
    is_compiled,
    keep_compiled_code,
)


class Net(nn.Module):
    """All of its instances share a `forward`, as the project's networks do."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.layer = nn.Linear(2, width)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        """Return features."""
        features: torch.Tensor = self.layer(images)
        return features


@pytest.fixture(autouse=True)
def _without_generated_code(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Compile to torch's own operators, which takes no C++ compiler and no minute."""
    compile_plain = torch.compile

    def compile_eager(function: Any, **options: Any) -> Any:
        return compile_plain(function, backend="eager", **options)

    monkeypatch.setattr(torch, "compile", compile_eager)
    yield
    torch.compiler.reset()


def use_network(net: nn.Module) -> None:
    """Train and evaluate twice, with a rest at the end of each evaluation."""
    for _ in range(2):
        net.train()(torch.ones(4, 2)).sum().backward()
        with torch.no_grad():
            whole = net.eval()(torch.ones(4, 2))
            rest = net(torch.ones(3, 2))
        assert torch.equal(whole[:3], rest)


def test_every_network_of_a_sweep_is_compiled_twice_and_its_other_seeds_not_at_all() -> None:
    torch.compiler.reset()
    count_frames().clear()
    # More networks than torch compiles one function for, in the order of a sweep whose seeds stand outermost.
    widths = range(1, 6)
    for seed in range(3):
        for number, width in enumerate(widths, 1):
            net = Net(width)
            names = list(net.state_dict())
            compile_network(net)
            assert list(net.state_dict()) == names
            use_network(net)
            frames = 2 * (number if seed == 0 else len(widths))
            assert count_frames() == {"total": frames, "ok": frames}


class CompilerError(RuntimeError):
    """An error of torch's compiler."""


CompilerError.__module__ = "torch._inductor.exc"


def test_auto_trains_plain_what_torch_cannot_compile(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def refuse(_images: torch.Tensor) -> torch.Tensor:
        raise CompilerError("LoweringException: no\nmore")

    monkeypatch.setattr(torch, "compile", lambda _forward, **_options: refuse)
    asked = Net(2)
    compile_network(asked)
    with pytest.raises(CompilerError):
        asked(torch.ones(4, 2))
    net = Net(2)
    trainer: Any = SimpleNamespace(
        callbacks=[CompileReport(compile_network(net, may_fall_back=True))]
    )
    assert is_compiled(trainer)
    use_network(net)
    assert not is_compiled(trainer)
    line = "trainer.compile=auto: the network is trained plain, since LoweringException: no\n"
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    ("missing", "line"),
    [(0, ""), (1, "trainer.compile: 1 of the network's parts are not compiled and run plain\n")],
)
def test_a_part_that_is_not_compiled_is_said_once(
    missing: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    frames = {"total": 5, "ok": 4}
    monkeypatch.setattr(compilation, "count_frames", lambda: frames)
    report = CompileReport(compile_network(Net(1)))
    frames["total"] += missing
    for _epoch in range(2):
        trainer: Any = SimpleNamespace(is_global_zero=True)
        report.on_train_epoch_end(trainer, Any)  # type: ignore[arg-type]
    assert capsys.readouterr().err == line


@pytest.mark.parametrize(
    "obstacle", [None, "torch's own", "the user's own", "a file", "others may write"]
)
def test_compiled_code_lies_beside_the_runs_where_it_can(
    obstacle: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / ".cache" / "compiled"
    expected: str | None = None
    monkeypatch.delenv(CACHE_VARIABLE, raising=False)
    if obstacle is None:
        expected = str(folder)
    elif obstacle == "torch's own":
        # As torch leaves it once it is imported.
        expected = str(folder)
        monkeypatch.setenv(CACHE_VARIABLE, default_cache_dir())
    elif obstacle == "the user's own":
        expected = "/elsewhere"
        monkeypatch.setenv(CACHE_VARIABLE, expected)
    elif obstacle == "a file":
        (tmp_path / ".cache").touch()
    else:
        folder.mkdir(parents=True)
        folder.chmod(0o777)
    before = os.environ.get(CACHE_VARIABLE)
    with keep_compiled_code(tmp_path):
        assert os.environ.get(CACHE_VARIABLE) == expected
    assert os.environ.get(CACHE_VARIABLE) in (before, default_cache_dir())


def test_what_a_killed_process_left_half_compiled_is_compiled_anew(tmp_path: Path) -> None:
    folder = tmp_path / ".cache" / "compiled"
    for name in ("dead", "alive", "whole"):
        (folder / "ab").mkdir(parents=True, exist_ok=True, mode=0o700)
        (folder / "ab" / f"{name}.main.so").touch()
        if name != "whole":
            (folder / "ab" / f"{name}.main_CxxBuild").mkdir()
    (folder / "locks").mkdir()
    with (folder / "locks" / "alive.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with keep_compiled_code(tmp_path):
            left = {path.name for path in (folder / "ab").iterdir()}
    assert left == {"alive.main.so", "alive.main_CxxBuild", "whole.main.so"}
