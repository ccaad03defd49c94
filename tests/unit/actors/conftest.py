"""Backends for tests; all of them are stopped at the end."""

from collections.abc import Callable, Iterator

import pytest

from hanami_actors.actors import supervisor
from tests.unit.actors.harness import Harness


@pytest.fixture
def make_backend(tmp_path, monkeypatch) -> Iterator[Callable[..., Harness]]:
    # What dies is started again at once.
    monkeypatch.setattr(supervisor, "WATCH_INTERVAL_S", 0.01)
    made: list[Harness] = []

    def make(**values) -> Harness:
        directory = tmp_path / f"data-{len(made)}"
        directory.mkdir()
        made.append(Harness(directory, **values))
        return made[-1].start()

    yield make
    for backend in made:
        backend.stop()


@pytest.fixture
def backend(make_backend):
    return make_backend()
