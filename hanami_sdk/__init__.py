"""Client library of hanami_actors; talks HTTP and websockets only.

`Client` and `AsyncClient` are the comfortable way; the modules (`cluster`, `dataset`, ...) have the
functions of the original SDK.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from hanami_sdk.client import AsyncClient, Client, Retry

__all__ = ["AsyncClient", "Client", "Retry", "__version__"]

__version__ = "0.5.0"


def __getattr__(name: str) -> Any:
    # Loaded when asked for: the modules of functions and hanamictl start without it.
    if name in {"AsyncClient", "Client", "Retry"}:
        from hanami_sdk import client

        return getattr(client, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
