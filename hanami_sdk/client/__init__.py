"""The client with typed results; `Client` waits, `AsyncClient` is awaited.

`AsyncClient` is written by hand in ``_async``; `Client` in ``_sync`` is made from it.
"""

from hanami_sdk.client._async.client import AsyncClient
from hanami_sdk.client._sync.client import Client
from hanami_sdk.client.retry import Retry

__all__ = ["AsyncClient", "Client", "Retry"]
