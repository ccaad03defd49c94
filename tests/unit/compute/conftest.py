"""Two processes that compile the kernels in their own way, begun before the first test.

Where nothing is compiled yet that takes a minute: time in which the other tests can go on.
"""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.server import KERNEL_CACHE_DIR

ROOT = Path(__file__).parents[3]

CHILDREN = {
    "the oldest processor": {"NUMBA_CPU_NAME": "generic"},
    "bounds checks": {"NUMBA_BOUNDSCHECK": "1"},
}
FIXTURE = "children"
STARTED = pytest.StashKey[dict[str, "subprocess.Popen[str]"]]()
NICENESS = 10


def pytest_collection_finish(session: pytest.Session) -> None:
    """Start them if a test that was chosen wants them."""
    wanted = any(FIXTURE in getattr(item, "fixturenames", ()) for item in session.items)
    if not wanted or session.config.option.collectonly:
        return
    session.stash[STARTED] = {}
    for number, (what, environ) in enumerate(CHILDREN.items()):
        # What they compile is kept for the next run.
        cache = KERNEL_CACHE_DIR.with_name(f"{KERNEL_CACHE_DIR.name}-{number}")
        session.stash[STARTED][what] = subprocess.Popen(
            ["nice", "-n", str(NICENESS), sys.executable, "-m", "tests.unit.compute.scenarios"],
            cwd=ROOT,
            env={**os.environ, **environ, "NUMBA_CACHE_DIR": str(cache)},
            stdout=subprocess.PIPE,
            text=True,
        )


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Leave none behind."""
    for child in session.stash.get(STARTED, {}).values():
        child.kill()
        child.communicate()


@pytest.fixture
def children(request: pytest.FixtureRequest) -> "dict[str, subprocess.Popen[str]]":
    """The children, at work."""
    return request.session.stash[STARTED]
