"""The cache of compiled kernels: known to be warm only where everything in it is there."""

import json
import os
import subprocess
import sys

import pytest

from hanami_actors.compute import cache, is_warm, warm_up
from hanami_actors.compute.cache import choose_directory, mark_warm


@pytest.fixture
def filled(tmp_path, monkeypatch):
    """A directory that looks like a full cache, and is marked."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    directory = choose_directory()
    assert directory is not None
    (directory / "inner").mkdir()
    (directory / "inner" / "entry.1.nbc").write_bytes(b"code")
    (directory / "inner" / "entry.nbi").write_bytes(b"index")
    mark_warm(directory)
    return directory


def test_a_marked_cache_is_warm(filled, tmp_path):
    assert is_warm(tmp_path)


def test_a_directory_that_is_empty_or_missing_is_not_warm(tmp_path):
    assert not is_warm(tmp_path)
    assert not is_warm(tmp_path / "missing")


def test_code_that_is_gone_or_cut_is_noticed(filled, tmp_path):
    (filled / "inner" / "entry.1.nbc").write_bytes(b"co")
    assert not is_warm(tmp_path)
    (filled / "inner" / "entry.1.nbc").unlink()
    assert not is_warm(tmp_path)


def test_an_index_may_get_entries_of_other_processors(filled, tmp_path):
    (filled / "inner" / "entry.nbi").write_bytes(b"longer index")
    assert is_warm(tmp_path)


def test_a_damaged_marker_is_none(filled, tmp_path):
    marker = next(filled.glob("warm-*.json"))
    marker.write_text(json.dumps({}))
    assert not is_warm(tmp_path)
    marker.write_bytes(b"{")
    assert not is_warm(tmp_path)


@pytest.mark.parametrize("name", ["NUMBA_CPU_NAME", "NUMBA_BOUNDSCHECK"])
def test_other_settings_of_numba_have_a_marker_of_their_own(filled, tmp_path, monkeypatch, name):
    monkeypatch.setenv(name, "generic")
    assert not is_warm(tmp_path)


def test_another_processor_or_version_has_a_marker_of_its_own(filled, tmp_path, monkeypatch):
    monkeypatch.setattr(cache, "_machine", lambda: ["riscv"])
    assert not is_warm(tmp_path)
    monkeypatch.undo()
    assert is_warm(tmp_path)
    monkeypatch.setattr(cache, "version", lambda name: f"{name} 99")
    assert not is_warm(tmp_path)


def test_a_directory_that_cannot_be_written_is_no_failure(tmp_path, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path / "file"))
    assert choose_directory() is None
    mark_warm(tmp_path / "missing")


def test_the_kernels_of_these_tests_are_warm_once_loaded():
    warm_up()
    given = os.environ["NUMBA_CACHE_DIR"]
    code = (
        "import sys; from pathlib import Path; from hanami_actors.compute import is_warm;"
        f"assert is_warm(Path({given!r})); assert 'numba' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
