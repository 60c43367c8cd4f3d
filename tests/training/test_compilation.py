"""trainer.compile: every network of a process is compiled, and the rest of an evaluation costs no compilation."""

from __future__ import annotations

from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import nn

from senet_repro.training import compilation
from senet_repro.training.compilation import CompileReport, compile_network, count_frames


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


def test_every_network_of_a_sweep_is_compiled_twice_and_no_more() -> None:
    # More networks than torch compiles one function for.
    for width in range(1, 6):
        net = Net(width)
        names = list(net.state_dict())
        compile_network(net)
        assert list(net.state_dict()) == names
        for _ in range(2):
            net.train()(torch.ones(4, 2)).sum().backward()
            with torch.no_grad():
                whole = net.eval()(torch.ones(4, 2))
                rest = net(torch.ones(3, 2))
            assert torch.equal(whole[:3], rest)
        assert count_frames() == {"total": 2, "ok": 2}


@pytest.mark.parametrize(
    ("compiled", "line"),
    [(3, ""), (2, "trainer.compile=true: 1 of 3 parts of the network are not compiled\n")],
)
def test_a_part_that_is_not_compiled_is_said_once(
    compiled: int, line: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(compilation, "count_frames", lambda: {"total": 3, "ok": compiled})
    report = CompileReport()
    for _epoch in range(2):
        trainer: Any = SimpleNamespace(is_global_zero=True)
        report.on_train_epoch_end(trainer, Any)  # type: ignore[arg-type]
    assert capsys.readouterr().err == line
