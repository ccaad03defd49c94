"""What the clients return; made by the calls, see `hanami_sdk.calls`."""

from hanami_sdk.calls import measured, results
from hanami_sdk.calls.measured import *  # noqa: F403  # all names of both
from hanami_sdk.calls.results import *  # noqa: F403

__all__ = [*measured.__all__, *results.__all__]  # noqa: PLE0604  # names in lists
