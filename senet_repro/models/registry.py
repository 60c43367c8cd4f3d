"""Networks by name: `create_model` and what each network offers (models floor)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from typing import Any

import torch
from omegaconf import OmegaConf

from senet_repro.config.conf_dir import load_file
from senet_repro.config.identity import AXES, select_stages
from senet_repro.config.schema import MODEL_OPTIONS, Model, Run
from senet_repro.config.validation import check_stages
from senet_repro.core.choice import find_nearest, require_choice
from senet_repro.core.errors import ConfigError
from senet_repro.models.init import initialise_weights
from senet_repro.models.layers import Classifier
from senet_repro.models.se import SEBlock, SEPlan

Builder = Callable[..., Classifier]
"""Builds a network from (plan, classes, **options), its options being those of its file in conf/model/."""

_BUILDERS: dict[str, Builder] = {}


def register_network(build: Builder) -> Builder:
    """Enter a builder under its own name, and return it; conf/model/<name>.yaml states what the network offers."""
    name = build.__name__
    assert name not in _BUILDERS, f"two networks are called {name}"
    _BUILDERS[name] = build
    return build


def list_models() -> list[str]:
    """Return the names that `create_model` knows, in alphabetical order."""
    return sorted(_BUILDERS)


def model_info(name: str) -> Model:
    """Return what the network offers, without building it: its stages, SE placements and options with defaults.

    Raises:
        ConfigError: no network has that name; the message gives the nearest one and all of them.
    """
    if name not in _BUILDERS:
        nearest = find_nearest(name, _BUILDERS)
        hint = f"did you mean {nearest}? " if nearest else ""
        raise ConfigError(
            f"network {name!r} does not exist; {hint}Known: {', '.join(list_models())}"
        )
    return _read_model(name)


@lru_cache
def _read_model(name: str) -> Model:
    """Return conf/model/<name>.yaml, checked against its schema; a reader must not change it."""
    config = OmegaConf.merge(OmegaConf.structured(Model), load_file("model", name))
    model = OmegaConf.to_object(config)
    assert isinstance(model, Model)
    return model


def create_model(
    name: str,
    num_classes: int = 1000,
    *,
    r: int | str | None = 16,
    squeeze: str = "avg",
    excitation: str = "sigmoid",
    stages: str | Sequence[int] = "all",
    placement: str = "standard",
    bias: bool = False,
    fc: str = "linear",
    **options: Any,
) -> Classifier:
    """Return an initialised network, images (N, 3, H, W) to logits (N, num_classes), with SE as asked for.

    The five axes are those of section 6: reduction ratio `r` (None or "none": no SE), `squeeze` (avg, max,
    none), `excitation` (sigmoid, tanh, relu), `stages` (all, all_but_last, none, or the paper's stage
    numbers) and `placement` (standard, pre, post, identity, conv3x3). `bias` and `fc` (linear, conv) say how
    the two FCs of a block are written. They have no biases by default, as in section 6 and as `se.bias` on the
    command line; the released weights need `bias=True`, and so do the sizes of Tables 2, 4, 5, 6 and 8.
    `options` belong to the network and stand with their defaults in conf/model/<name>.yaml: `stride_on` and
    `stem_pool` of the ResNets, `stem` of Inception-ResNet-v2, `se_on` of the Shake-Shake networks.

    The weights come from one draw of torch's global generator, the only one made: after the same
    `torch.manual_seed`, networks that differ in SE agree in every layer they share.

    Raises:
        ConfigError: a name or value that does not exist, or that this network does not offer.
    """
    offered = model_info(name)
    _check_options(options, offered)
    require_choice("placement", placement, offered.placements, name)
    check_stages(stages, offered.stages, name)
    plan = SEPlan(
        r=None if r == "none" else r,  # type: ignore[arg-type]  # the plan refuses other words
        squeeze=squeeze,
        excitation=excitation,
        stages=select_stages(stages, offered.stages),
        placement=placement,
        fc=fc,
        bias=bias,
    )
    settings = {**offered.options, **options}
    seed = int(torch.randint(2**63 - 1, (), device="cpu"))
    # Layers draw as they are built. Their number depends on SE, and the caller's generator must not.
    with torch.random.fork_rng(devices=()):
        build = _BUILDERS[name]
        net = build(plan, num_classes, **settings)
    net.name = name
    net.options = settings
    _check_gates(net, plan)
    initialise_weights(net, seed)
    return net


def network_of(run: Run) -> Classifier:
    """Return the network of a run, for as many classes as its data has.

    Raises:
        ConfigError: as `create_model`.
    """
    options: dict[str, Any] = {**run.model.options}
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
        **options,
    )


def _check_options(options: Mapping[str, Any], offered: Model) -> None:
    """Refuse an option that the network does not have, and a value that the option does not have."""
    # A misspelt axis arrives here too, since `create_model` takes any keyword.
    known = (*offered.options, *AXES, "bias", "fc")
    for option, value in options.items():
        require_choice("option", option, known, offered.name)
        require_choice(option, value, MODEL_OPTIONS[option])


def _check_gates(net: Classifier, plan: SEPlan) -> None:
    """Refuse a network whose builder never asked the plan for a gate it was to have."""
    if plan.r is None:
        return
    for stage in plan.stages:
        modules = net.stages[str(stage)].modules()
        if not any(isinstance(module, SEBlock) for module in modules):
            raise RuntimeError(
                f"{net.name} built no SE block at {plan.placement!r} in stage {stage}: "
                f"ask the plan for that site, or leave it out of the placements in conf/model/{net.name}.yaml"
            )
