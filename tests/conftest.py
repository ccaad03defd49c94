"""Fixtures and Hypothesis profiles of all tests."""

import os
import signal
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import settings

from tests.server import KERNEL_CACHE_DIR, ServerProcess

LOG_TAIL_LINES = 200

# Before any test imports numba.
os.environ["NUMBA_CACHE_DIR"] = str(KERNEL_CACHE_DIR)

# A shell that runs the tests in the background has SIGINT ignored, and every child inherits that.
signal.signal(signal.SIGINT, signal.default_int_handler)

# No deadlines: a busy machine is not a bug.
settings.register_profile("dev", max_examples=20, deadline=None)
settings.register_profile("ci", max_examples=200, deadline=None, derandomize=True)
settings.register_profile("night", max_examples=5000, deadline=None)
settings.load_profile(
    os.environ.get("HYPOTHESIS_PROFILE") or ("ci" if "CI" in os.environ else "dev")
)

MakeServer = Callable[..., ServerProcess]


@pytest.fixture
def make_server(tmp_path: Path) -> Iterator[MakeServer]:
    """Start servers with flags and environment of their own; all of them are killed at the end."""
    with ExitStack() as stack:

        def make(*flags: str, environ: dict[str, str] | None = None) -> ServerProcess:
            data_dir = tmp_path / f"data-{len(made)}"
            process = ServerProcess(data_dir, *flags, environ=environ)
            made.append(process)
            stack.callback(process.stop)
            return process.start()

        made: list[ServerProcess] = []
        yield make


@pytest.fixture
def server(make_server: MakeServer) -> ServerProcess:
    """Return a ready server of its own on an empty data directory."""
    return make_server()


@pytest.fixture(scope="session")
def warm_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServerProcess]:
    """Share one server with all tests that leave it as usable as they found it."""
    process = ServerProcess(tmp_path_factory.mktemp("warm-server") / "data")
    try:
        yield process.start()
    finally:
        process.stop()


@pytest.fixture(scope="session")
def mnist_dir() -> Path:
    """Return the directory of the four MNIST files; skip where there is none."""
    named = os.environ.get("HANAMI_MNIST_DIR")
    if not named:
        pytest.skip("HANAMI_MNIST_DIR is not set")
    return Path(named)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show what the servers of a failed test printed."""
    report = yield
    if report.failed:
        for name, value in getattr(item, "funcargs", {}).items():
            if isinstance(value, ServerProcess):
                tail = "\n".join(value.log.splitlines()[-LOG_TAIL_LINES:])
                report.sections.append((f"log of {name} ({value.data_dir})", tail))
    return report
