"""A history with tasks, a checkpoint, a restore and a direct session."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.replay.history import History


@pytest.fixture
def history(tmp_path: Path) -> Iterator[History]:
    made = History(tmp_path / "data")
    yield made
    made.close()
