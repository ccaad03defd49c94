"""Every call of the REST interface, stated once: what is sent and what the answer means."""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hanami_sdk.calls import accounts, clusters, datasets, system, tasks

__all__ = ["accounts", "clusters", "datasets", "system", "tasks"]


def __getattr__(name: str) -> Any:
    # Loaded when asked for: hanamictl explains its commands without them.
    if name in __all__:
        return import_module(f"hanami_sdk.calls.{name}")
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
