"""One flipped bit anywhere in the log's file: right data or a sentence, never something else.

LMDB trusts its pages and may kill a process that reads damaged ones, so whoever reads does it in a
child here; the check of the pages must find in advance what would do that.
"""

import os
import random
import signal
import warnings
from pathlib import Path

import pytest

from hanami_actors.errors import HanamiError, LogCorruptError
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.page_check import check_pages
from hanami_actors.eventlog.verify import check_chain, check_index, fold_all
from tests.unit.eventlog.builders import append, batch, cycles, open_log

SEED = int(os.environ.get("HANAMI_SEED", "0")) or random.SystemRandom().randrange(1, 2**32)
FLIP_COUNT = int(os.environ.get("HANAMI_FLIPS", "150"))
PAGE_BYTES = 4096
HEADER_BYTES = 64

RIGHT, REFUSED, WRONG, CRASHED = range(4)
TIMEOUT_S = 20


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Return the file of a log with several levels of pages, large records and free pages."""
    path = tmp_path_factory.mktemp("original") / "log"
    log = open_log(path)
    for number in range(140):
        stream, version = f"audit/{number % 14}", 4 * (number // 14)
        log.append([batch(append(stream, version, *cycles(4)))])
    for number in range(3):
        log.append([batch(append("audit/large", number, *cycles(1, task_uuid="t" * 9_000)))])
    log.close()
    return (path / "data.mdb").read_bytes()


def read_everything(path: Path) -> tuple[list[object], list[object]]:
    log = LmdbEventLog(path, readonly=True)
    try:
        streams = [
            (stream, version, [record.position for record in log.read_stream(stream)])
            for stream, version in log.streams()
        ]
        return list(log.read_all()), list(streams)
    finally:
        log.close()


def verify_everything(path: Path) -> None:
    """Raise when anything does not hold, as hanami-log verify reports it."""
    check_pages(path)
    log = LmdbEventLog(path, readonly=True)
    try:
        findings = list(check_chain(log))
        if not findings:
            findings = list(check_index(log, fold_all(log).versions))
    finally:
        log.close()
    if findings:
        raise LogCorruptError(findings[0].text)


def in_child(path: Path, expected: tuple[list[object], list[object]]) -> int:
    """Verify and read in a child process; return what came of it."""
    with warnings.catch_warnings():
        # The child does nothing but read files and end.
        warnings.simplefilter("ignore", DeprecationWarning)
        pid = os.fork()
    if pid == 0:
        outcome = WRONG
        try:
            signal.alarm(TIMEOUT_S)
            verify_everything(path)
            outcome = RIGHT if read_everything(path) == expected else WRONG
        except HanamiError:
            outcome = REFUSED
        finally:
            os._exit(outcome)
    _, status = os.waitpid(pid, 0)
    return os.WEXITSTATUS(status) if os.WIFEXITED(status) else CRASHED


def places(source: random.Random, size: int) -> list[tuple[int, int]]:
    """Return bytes and bits to flip: half of them in the heads of pages."""
    found = []
    for number in range(FLIP_COUNT):
        at = source.randrange(size)
        if number % 2:
            at = at // PAGE_BYTES * PAGE_BYTES + source.randrange(HEADER_BYTES)
        found.append((at, source.randrange(8)))
    return found


def test_a_flipped_bit_is_found_or_changes_nothing(original: bytes, tmp_path: Path) -> None:
    print(f"seed {SEED}: rerun with HANAMI_SEED={SEED}")
    path = tmp_path / "log"
    path.mkdir()
    (path / "data.mdb").write_bytes(original)
    expected = read_everything(path)
    outcomes = {RIGHT: 0, REFUSED: 0}
    for at, bit in places(random.Random(SEED), len(original)):
        flipped = bytearray(original)
        flipped[at] ^= 1 << bit
        (path / "data.mdb").write_bytes(flipped)
        outcome = in_child(path, expected)
        assert outcome in outcomes, f"bit {bit} of byte {at} (page {at // PAGE_BYTES}): {outcome}"
        outcomes[outcome] += 1
    print(f"of {FLIP_COUNT} bits {outcomes[RIGHT]} changed nothing, {outcomes[REFUSED]} were found")
    assert outcomes[REFUSED] > 0


@pytest.mark.parametrize("kept", [0, 100, 4096, 5000, 8192, 12_288, 100_000])
def test_a_cut_file_is_a_sentence(original: bytes, tmp_path: Path, kept: int) -> None:
    path = tmp_path / "log"
    path.mkdir()
    (path / "data.mdb").write_bytes(original[:kept])
    with pytest.raises(LogCorruptError, match=r"cut off|empty|needs"):
        check_pages(path)
    with pytest.raises(HanamiError, match=r"cut off|no event log|not an event log"):
        LmdbEventLog(path, readonly=True)
    assert (path / "data.mdb").read_bytes() == original[:kept]
