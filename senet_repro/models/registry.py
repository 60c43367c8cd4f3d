"""Networks by name: `create_model` and what each network offers (models floor)."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import torch

from senet_repro.config.identity import AXES, select_stages
from senet_repro.config.schema import MODEL_OPTIONS, PLACEMENTS, Run
from senet_repro.config.validation import check_stages
from senet_repro.core.choice import require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.models.init import initialise
from senet_repro.models.layers import Classifier
from senet_repro.models.se import SEBlock, SEPlan

Builder = Callable[..., Classifier]


@dataclass(frozen=True)
class ModelInfo:
    """A network and what it offers: stage numbers, SE placements and its own options with their defaults."""

    name: str
    stages: tuple[int, ...]
    placements: tuple[str, ...]
    options: dict[str, str]
    build: Builder


_MODELS: dict[str, ModelInfo] = {}


def register(
    *, stages: tuple[int, ...], placements: tuple[str, ...] = PLACEMENTS
) -> Callable[[Builder], Builder]:
    """Return a decorator that enters `build(plan, classes, *, options)` under the function's name."""

    def enter(build: Builder) -> Builder:
        name = build.__name__
        assert name not in _MODELS, f"two networks are called {name}"
        parameters = inspect.signature(build).parameters.values()
        options = {p.name: p.default for p in parameters if p.kind is p.KEYWORD_ONLY}
        _MODELS[name] = ModelInfo(name, stages, placements, options, build)
        return build

    return enter


def list_models() -> list[str]:
    """Return the names that `create_model` knows, in alphabetical order."""
    return sorted(_MODELS)


def model_info(name: str) -> ModelInfo:
    """Return what the network offers, without building it.

    Raises:
        ConfigError: no network has that name; the message gives the nearest one and all of them.
    """
    if name not in _MODELS:
        nearest = difflib.get_close_matches(name, _MODELS, n=1)
        hint = f"did you mean {nearest[0]}? " if nearest else ""
        raise ConfigError(
            f"network {name!r} does not exist; {hint}Known: {', '.join(list_models())}"
        )
    return _MODELS[name]


def create_model(
    name: str,
    num_classes: int = 1000,
    *,
    r: int | str | None = 16,
    squeeze: str = "avg",
    excitation: str = "sigmoid",
    stages: str | Sequence[int] = "all",
    placement: str = "standard",
    bias: bool = True,
    fc: str = "linear",
    **options: Any,
) -> Classifier:
    """Return an initialised network, images (N, 3, H, W) to logits (N, num_classes), with SE as asked for.

    The five axes are those of section 6: reduction ratio `r` (None or "none": no SE), `squeeze` (avg, max,
    none), `excitation` (sigmoid, tanh, relu), `stages` (all, all_but_last, none, or the paper's stage
    numbers) and `placement` (standard, pre, post, identity, conv3x3). `bias` and `fc` (linear, conv) say how
    the two FCs of a block are written. `options` belong to the network and stand in its docstring or its file's:
    `stride_on` and `stem_pool` of the ResNets, `stem` of Inception-ResNet-v2, `se_on` of the Shake-Shake networks.

    The weights come from one draw of torch's global generator, the only one made: after the same
    `torch.manual_seed`, networks that differ in SE agree in every layer they share.

    Raises:
        ConfigError: a name or value that does not exist, or that this network does not offer.
    """
    info = model_info(name)
    for option, value in options.items():
        require_choice("option", option, (*info.options, *AXES, "bias", "fc"), name)
        require_choice(option, value, MODEL_OPTIONS[option])
    require_choice("placement", placement, info.placements, name)
    check_stages(stages, info.stages, name)
    plan = SEPlan(
        r=None if r == "none" else r,  # type: ignore[arg-type]  # the plan refuses other words
        squeeze=squeeze,
        excitation=excitation,
        stages=select_stages(stages, info.stages),
        placement=placement,
        fc=fc,
        bias=bias,
    )
    seed = int(torch.randint(2**63 - 1, (), device="cpu"))
    with torch.random.fork_rng(devices=()):
        net = info.build(plan, num_classes, **options)
    net.name, net.options = name, {**info.options, **options}
    _check_gates(net, plan, info)
    initialise(net, seed)
    return net


def network_of(run: Run) -> Classifier:
    """Return the network of a run, for as many classes as its data has.

    Raises:
        ConfigError: as `create_model`.
    """
    return create_model(
        run.model.name,
        run.data.classes,
        r=run.r,
        squeeze=run.squeeze,
        excitation=run.excitation,
        stages=run.stages,
        placement=run.placement,
        bias=run.se.bias,
        fc=run.se.fc,
        **dict[str, Any](run.model.options),
    )


def _check_gates(net: Classifier, plan: SEPlan, info: ModelInfo) -> None:
    """Refuse a network whose builder never asked the plan for a gate it was to have."""
    if plan.r is None:
        return
    for stage in plan.stages:
        if not any(isinstance(module, SEBlock) for module in net.stages[str(stage)].modules()):
            raise RuntimeError(
                f"{info.name} built no SE block at {plan.placement!r} in stage {stage}: "
                "ask the plan for that site, or leave it out of the placements of @register"
            )
