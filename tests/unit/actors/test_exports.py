"""Downloads are made here or in the child; which of the two cannot be seen in them."""

import multiprocessing

import numpy as np
import pytest

from hanami_actors.actors import export as exports
from hanami_actors.actors.data.csv_importer import CsvImporter
from hanami_actors.actors.export import Exporter
from hanami_actors.actors.import_progress import ImportBoard, ImportProgress
from hanami_actors.datasets.csv_reader import import_csv
from hanami_actors.datasets.export import plan_export
from hanami_actors.datasets.result import ResultWriter
from hanami_actors.errors import BusyError
from hanami_actors.eventlog.blobs import BlobStore

ROWS = 30_000


@pytest.fixture(scope="module")
def blobs(tmp_path_factory):
    return BlobStore(tmp_path_factory.mktemp("exports") / "blobs")


@pytest.fixture(scope="module")
def content(blobs):
    values = np.random.default_rng(1).random((ROWS, 3), dtype=np.float32)
    with ResultWriter(blobs, [("a", 1), ("b", 2)]) as writer:
        writer.write(values)
        return writer.finish()


@pytest.fixture
def exporter():
    exporter = Exporter()
    yield exporter
    exporter.close(0.0)


def test_text_from_the_child_is_that_of_this_process(blobs, content, exporter, monkeypatch):
    plan = plan_export(blobs.path, content, "csv")
    from_child = list(exporter.open(plan).blocks())
    assert len(from_child) > 1
    monkeypatch.setattr(exports, "INLINE_VALUES_MAX", 3 * ROWS)
    assert list(exporter.open(plan).blocks()) == from_child


def test_small_texts_and_arrays_need_no_child(blobs, content, exporter, monkeypatch):
    monkeypatch.setattr(exporter._child, "run", None)
    small = plan_export(blobs.path, content, "csv", ("a",))
    monkeypatch.setattr(exports, "INLINE_VALUES_MAX", ROWS)
    assert b"".join(exporter.open(small).blocks()).count(b"\n") == ROWS + 1
    array = exporter.open(plan_export(blobs.path, content, "npy"))
    assert sum(map(len, array.blocks())) == array.size_bytes


def test_a_killed_child_ends_a_download_and_the_next_one_has_another(blobs, content, exporter):
    plan = plan_export(blobs.path, content, "csv")
    before = set(multiprocessing.active_children())
    blocks = exporter.open(plan).blocks()
    next(blocks)
    (child,) = set(multiprocessing.active_children()) - before
    child.kill()
    child.join()
    with pytest.raises(BusyError, match="writes CSV files"):
        list(blocks)
    assert len(list(exporter.open(plan).blocks())) > 1


def test_a_closed_exporter_makes_no_more_text(blobs, content):
    exporter = Exporter()
    exporter.close(0.0)
    with pytest.raises(BusyError):
        list(exporter.open(plan_export(blobs.path, content, "csv")).blocks())


def test_an_import_tells_how_far_it_is(tmp_path, blobs):
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 1000)
    told: list[int] = []
    import_csv(path, blobs, block_bytes=500, on_progress=told.append)
    assert told == sorted(told)
    assert (len(told) > 5, told[-1]) == (True, path.stat().st_size)


def test_a_run_in_the_child_ends_with_everything_read_and_is_then_forgotten(tmp_path, blobs):
    path = tmp_path / "file.csv"
    path.write_bytes(b"a,b\n" + b"1,2\n" * 1000)
    importer = CsvImporter(tmp_path / "blobs")
    try:
        assert importer.run(path).row_count == 1000
        assert list(importer._progress) == [1, path.stat().st_size]
        assert importer.read_bytes(path) == 0
    finally:
        importer.close(0.0)


def test_the_board_shows_an_import_while_it_runs():
    board = ImportBoard()
    with board.running("a", 10, lambda: 99):
        assert board.progress("a") == ImportProgress(read_bytes=10, size_bytes=10)
        assert board.progress("b") is None
    assert board.progress("a") is None
