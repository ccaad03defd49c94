from pathlib import Path

import pytest

from tests.unit.datasets.fakes import FakeBlobs


@pytest.fixture
def blobs(tmp_path: Path) -> FakeBlobs:
    return FakeBlobs(tmp_path / "blobs")
