"""The gate's own backward pass against autograd's of the plain formula, and the paths that have to see that formula."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from senet_repro.config.schema import PLACEMENTS
from senet_repro.models import scale, se
from senet_repro.models.scale import GlobalAverage, ScaleMap, cut_batch
from senet_repro.models.se import SEBlock
from tests.models.test_residual import KINDS, Kind

pytestmark = pytest.mark.usefixtures("one_thread")

# Units that end in a sum with a factor, in a concatenation, and in two branches.
ENDS = ("bottleneck", "inception", "shuffle-concatenating", "even-mix")
POINTS = [(name, "standard") for name in KINDS]
POINTS += [(name, site) for name in ENDS for site in PLACEMENTS if site != "standard"]


@pytest.fixture
def use_plain_formula(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    return lambda: monkeypatch.setattr(se, "writes_own_backward", lambda: False)


def build_block(excitation: str = "tanh") -> SEBlock:
    torch.manual_seed(0)
    block = SEBlock(4, 2, "avg", excitation, "linear", bias=True)
    # Every hidden unit lets something through.
    block.relu = nn.LeakyReLU(0.1)
    return block


def make_map(images: int = 3) -> Tensor:
    generator = torch.Generator().manual_seed(images)
    u = torch.randn(images, 4, 3, 2, generator=generator)
    return u.to(memory_format=torch.channels_last).requires_grad_()


def find_gradients(module: nn.Module, *inputs: Tensor) -> tuple[Tensor, ...]:
    """Return the output, and the gradients of inputs and parameters of a weighted sum of it."""
    output = module(*inputs)
    weights = torch.linspace(-1, 1, output.numel(), dtype=output.dtype).view(output.shape)
    weights = weights.to(memory_format=torch.channels_last)
    known = (*inputs, *module.parameters())
    gradients = torch.autograd.grad((output * weights).sum(), known)
    return output, *gradients


@pytest.mark.parametrize("factor", [None, 1.0, 0.3])
def test_gradients_are_those_of_finite_differences(factor: float | None) -> None:
    block = build_block().double()
    u, base = make_map(2).double(), make_map(2).double()

    def scale_by_block(u: Tensor, base: Tensor, *_weights: Tensor) -> Tensor:
        output: Tensor = block(u) if factor is None else block(u, base, factor)
        return output

    inputs = (u.detach().requires_grad_(), base.detach().requires_grad_(), *block.parameters())
    assert torch.autograd.gradcheck(scale_by_block, inputs, fast_mode=True)


@pytest.mark.parametrize(("name", "placement"), POINTS)
def test_units_have_output_and_gradients_of_the_plain_formula(
    name: str, placement: str, use_plain_formula: Callable[[], None]
) -> None:
    kind: Kind = KINDS[name]
    unit = kind.build(placement).double()
    channels = dict(zip(PLACEMENTS, kind.channels, strict=True))["pre"]
    x = torch.randn(2, channels, 7, 7, dtype=torch.float64, requires_grad=True)
    ours = find_gradients(unit, x)
    with torch.no_grad():
        torch.testing.assert_close(unit(x), ours[0])
    use_plain_formula()
    torch.testing.assert_close(ours, find_gradients(unit, x))


def test_the_units_of_the_paper_take_the_short_way() -> None:
    for name, placement in POINTS:
        channels = dict(zip(PLACEMENTS, KINDS[name].channels, strict=True))["pre"]
        output = KINDS[name].build(placement)(torch.randn(2, channels, 7, 7))
        nodes, found = [output.grad_fn], set()
        while nodes:
            node = nodes.pop()
            if node is not None and node not in found:
                found.add(node)
                nodes += [before for before, _ in node.next_functions]
        assert any(isinstance(node, ScaleMap._backward_cls) for node in found), name


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_a_batch_in_parts_is_the_batch_in_one(
    dtype: torch.dtype, use_plain_formula: Callable[[], None], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Two images of a batch of five.
    monkeypatch.setattr(scale, "CACHED_BYTES", 2 * 4 * 6 * dtype.itemsize + 1)
    block, u, base = build_block(), make_map(5), make_map(5)
    inputs = [tensor.to(dtype) for tensor in (u, base)]
    assert [part.stop for part in cut_batch(inputs[0])] == [2, 4, 6]
    with torch.autocast("cpu", torch.bfloat16, enabled=dtype is torch.bfloat16):
        ours = find_gradients(block, *inputs)
        with torch.no_grad():
            torch.testing.assert_close(block(*inputs), ours[0])
            average = GlobalAverage()(inputs[0])
        use_plain_formula()
        plain = find_gradients(block, *inputs)
    assert [tensor.dtype for tensor in ours] == [tensor.dtype for tensor in plain]
    assert ours[0].is_contiguous(memory_format=torch.channels_last)
    assert ours[1].is_contiguous(memory_format=torch.channels_last)
    tolerance = {"rtol": 0.05, "atol": 0.02} if dtype is torch.bfloat16 else {}
    torch.testing.assert_close(ours, plain, **tolerance)
    torch.testing.assert_close(average, inputs[0].mean((2, 3), keepdim=True))


def test_types_are_promoted_as_in_the_formula(use_plain_formula: Callable[[], None]) -> None:
    block, u = build_block(), make_map()
    base = make_map().bfloat16()
    with torch.autocast("cpu", torch.bfloat16):
        ours = find_gradients(block, u, base)
        use_plain_formula()
        plain = find_gradients(block, u, base)
    for one, other in zip(ours, plain, strict=True):
        assert one.dtype == other.dtype
        torch.testing.assert_close(one, other, rtol=0.05, atol=0.02)


def test_a_gradient_may_be_asked_for_twice_or_through_the_gate_alone(
    use_plain_formula: Callable[[], None],
) -> None:
    block, u = build_block(), make_map()
    gates: list[Tensor] = []
    block.excitation.register_forward_hook(lambda *call: gates.append(call[2]))

    def ask_in_turn() -> list[Tensor]:
        scaled = block(u).square().sum()
        wholes = [torch.autograd.grad(scaled, u, retain_graph=True)[0] for _ in range(2)]
        return [*wholes, torch.autograd.grad(gates[-1].square().sum(), u)[0]]

    ours = ask_in_turn()
    use_plain_formula()
    torch.testing.assert_close(ours, ask_in_turn())


def test_a_second_derivative_is_refused_rather_than_wrong() -> None:
    u = make_map()
    (first,) = torch.autograd.grad(build_block()(u).square().sum(), u, create_graph=True)
    with pytest.raises(RuntimeError, match="once_differentiable"):
        first.sum().backward()


@pytest.mark.parametrize("steps_back", [True, False])
def test_a_map_is_freed_with_its_step(steps_back: bool) -> None:
    gc.disable()
    try:
        u = make_map()
        scaled = build_block()(u * 2, u)
        if steps_back:
            scaled.sum().backward()
        kept = weakref.ref(u)
        del u, scaled
        assert kept() is None
    finally:
        gc.enable()


def test_an_empty_batch_has_an_empty_gradient() -> None:
    u = make_map(0)
    build_block()(u, u).sum().backward()
    assert u.grad is not None
    assert u.grad.shape == (0, 4, 3, 2)


@pytest.mark.parametrize("tracer", [torch.compiler.is_compiling, torch.jit.is_tracing])
def test_a_compiler_and_a_count_see_the_plain_formula(
    tracer: Callable[[], bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    module = torch.compiler if tracer is torch.compiler.is_compiling else torch.jit
    monkeypatch.setattr(module, tracer.__name__, lambda: True)
    assert "AddBackward" in type(build_block()(make_map(), make_map()).grad_fn).__name__


@pytest.mark.faults
def test_a_block_is_compiled_in_one_piece(use_plain_formula: Callable[[], None]) -> None:
    block, u, base = build_block(), make_map(), make_map()
    compiled = torch.compile(block, backend="eager", fullgraph=True, dynamic=False)
    seen = find_gradients(compiled, u, base)
    torch.compiler.reset()
    use_plain_formula()
    torch.testing.assert_close(seen, find_gradients(block, u, base), rtol=0, atol=0)
