"""Golden histories: what was written once is read by every later program, and comes to the same."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from hanami_actors.compute import KERNEL_VERSION
from hanami_actors.domain.catalogue import CATALOGUE, UPCASTERS
from hanami_actors.errors import HanamiError
from hanami_actors.eventlog.blobs import BlobStore
from hanami_actors.eventlog.directory import DataDirectory
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.snapshots import SnapshotStore
from hanami_actors.eventlog.table_snapshots import TableImage, decode_tables, encode_tables
from hanami_actors.eventlog.verify import Finding, check_blobs, check_chain, check_index, fold_all
from hanami_actors.replay.recompute import branches_of, recompute
from tests.replay.bad_histories import BAD
from tests.replay.container import Container, read_container, unpack_directory
from tests.replay.good_histories import GOOD
from tests.replay.make_histories import HISTORIES, make

FILES = sorted(HISTORIES.glob("*.log"))
GOOD_FILES = [path for path in FILES if path.stem in GOOD]


def findings_of(directory: DataDirectory) -> Iterator[Finding]:
    """Yield what hanami-log verify --recompute would say."""
    try:
        log = LmdbEventLog(directory.log, readonly=True)
    except HanamiError as error:
        yield Finding("open", "", error.message)
        return
    try:
        broken = list(check_chain(log))
        yield from broken
        if broken:
            return
        try:
            folded = fold_all(log)
        except HanamiError as error:
            kind = "fold" if "cannot happen" in error.message else "read"
            yield Finding(kind, "", error.message)
            return
        yield from check_index(log, folded.versions)
        blobs = BlobStore(directory.blobs, readonly=True)
        snapshots = SnapshotStore(directory.snapshots, readonly=True)
        yield from check_blobs(blobs, folded.holdings)
        for stream in sorted(folded.states):
            if stream.startswith("cluster/"):
                for way in branches_of(log, stream):
                    yield from recompute(way, log, blobs, snapshots).findings
    finally:
        log.close()


def check_contains(found: Any, expected: Any, path: str = "") -> None:
    """Assert that everything expected is there; states may have gained fields since."""
    if isinstance(expected, dict):
        for name, value in expected.items():
            assert name in found, f"{path}.{name} is gone"
            check_contains(found[name], value, f"{path}.{name}")
    elif isinstance(expected, list):
        assert len(found) == len(expected), path
        for index, value in enumerate(expected):
            check_contains(found[index], value, f"{path}[{index}]")
    else:
        assert found == expected, path


def test_there_is_a_history_of_every_kind() -> None:
    assert {path.stem for path in FILES} == {*GOOD, *BAD}
    assert sum(path.stat().st_size for path in FILES) < 2**20


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_history_is_read_and_comes_to_the_same_states(name: str, tmp_path: Path) -> None:
    container = read_container(HISTORIES / f"{name}.log")
    log = LmdbEventLog(unpack_directory(container, tmp_path / "data").log, readonly=True)
    folded = fold_all(log)
    assert log.check_chain() == log.head()
    assert log.head().position == container.expect["position"]
    assert log.head().chain_hash.hex() == container.expect["chain_hash"]
    expected = container.expect["streams"]
    assert set(folded.states) == set(expected)
    for stream, (state, version) in folded.states.items():
        assert version == expected[stream]["version"]
        check_contains(msgspec.to_builtins(state), expected[stream]["state"], stream)
    log.close()


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_good_history_holds_and_its_training_comes_out_again(name: str, tmp_path: Path) -> None:
    container = read_container(HISTORIES / f"{name}.log")
    findings = list(findings_of(unpack_directory(container, tmp_path / "data")))
    if container.expect["kernel_version"] == KERNEL_VERSION:
        assert findings == []
    else:
        # Other kernels give other states: that is said, and nothing else.
        assert all("kernel version" in finding.text for finding in findings)


@pytest.mark.parametrize("name", sorted(GOOD))
def test_tables_of_a_good_history_survive_the_way_to_the_disk(name: str, tmp_path: Path) -> None:
    container = read_container(HISTORIES / f"{name}.log")
    log = LmdbEventLog(unpack_directory(container, tmp_path / "data").log, readonly=True)
    tables = fold_all(log).tables
    log.close()
    image = TableImage(tables=tables, open_tasks={"a": "b"})
    assert decode_tables(encode_tables(image, b"hash")) == (image, b"hash")


@pytest.mark.parametrize("name", sorted(GOOD))
def test_a_history_made_now_is_the_one_that_was_recorded(name: str) -> None:
    recorded, made = read_container(HISTORIES / f"{name}.log"), make(name)
    if recorded.expect["kernel_version"] != KERNEL_VERSION:
        return
    assert [tags(each) for each in (recorded, made)] == [tags(recorded)] * 2
    assert sorted(made.blobs) == sorted(recorded.blobs)


def tags(container: Container) -> list[tuple[str, str]]:
    return [(envelope["stream"], envelope["tag"]) for envelope in container.envelopes]


@pytest.mark.parametrize("name", sorted(BAD))
def test_a_bad_history_is_refused_and_its_fault_is_named(name: str, tmp_path: Path) -> None:
    container = read_container(HISTORIES / f"{name}.log")
    findings = list(findings_of(unpack_directory(container, tmp_path / "data")))
    kinds = {finding.what for finding in findings}
    # Without a column its training cannot be computed again either.
    assert kinds in ({container.expect["what"]}, {container.expect["what"], "digest"})
    assert container.expect["text"] in findings[0].text


def test_every_tag_that_exists_is_in_a_good_history() -> None:
    found = {tag for path in GOOD_FILES for _, tag in tags(read_container(path))}
    assert set(CATALOGUE) <= found


def test_every_schema_that_ever_existed_is_in_a_good_history() -> None:
    recorded = {
        (envelope["tag"], envelope["schema"])
        for path in GOOD_FILES
        for envelope in read_container(path).envelopes
    }
    assert set(UPCASTERS) <= recorded
    for tag, cls in CATALOGUE.items():
        for schema in range(1, cls.SCHEMA):
            assert (tag, schema) in UPCASTERS, f"no way from {tag} schema {schema} to today's"
