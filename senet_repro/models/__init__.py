"""Models floor: the SE block, the networks that offer sites for it, and what they cost."""

# Importing a family registers its networks.
from senet_repro.models import (  # noqa: F401
    bn_inception,
    cifar,
    inception_resnet,
    mobilenet,
    preact,
    resnet,
    shake,
    shufflenet,
    vgg,
)
from senet_repro.models.cost import count_macs, count_params, count_run, network_key
from senet_repro.models.registry import create_model, list_models, network_of
from senet_repro.models.weights import export_weights, import_weights, read_weights, write_weights

__all__ = [
    "count_macs",
    "count_params",
    "count_run",
    "create_model",
    "export_weights",
    "import_weights",
    "list_models",
    "network_key",
    "network_of",
    "read_weights",
    "write_weights",
]
