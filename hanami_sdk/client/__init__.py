"""The client with typed results; `Client` waits, `AsyncClient` is awaited."""

from hanami_sdk.client.awaiting import AsyncClient
from hanami_sdk.client.blocking import Client
from hanami_sdk.client.session import Retry

__all__ = ["AsyncClient", "Client", "Retry"]
