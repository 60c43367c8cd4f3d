"""The tables of "Squeeze-and-Excitation Networks" (Hu et al., TPAMI) as one composable grid."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from senet_repro.models import create_model, export_weights, import_weights, list_models

__all__ = ["create_model", "export_weights", "import_weights", "list_models"]
__version__ = "0.2.0"


def __getattr__(name: str) -> Any:
    # torch takes seconds to import; help, tables and configuration errors answer without it.
    if name in __all__:
        from senet_repro import models

        return getattr(models, name)
    raise AttributeError(f"module 'senet_repro' has no attribute '{name}'")
