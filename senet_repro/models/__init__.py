"""Models floor: the SE block, the networks that offer sites for it, and what they cost."""

from senet_repro.models import cifar, resnet  # noqa: F401  importing a family registers its networks
from senet_repro.models.cost import count_macs, count_params
from senet_repro.models.registry import create_model, list_models

__all__ = ["count_macs", "count_params", "create_model", "list_models"]
