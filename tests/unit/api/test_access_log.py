import asyncio

from hanami_actors.api.access_log import BATCH_LEN_MAX, AccessEntry, AccessLog
from hanami_actors.ports import ManualClock

ENTRY = AccessEntry(
    method="GET",
    path="/v1/cluster/all",
    status=200,
    duration_ms=1.26,
    user_id="asdf",
    request_id="some-id",
)
LINE = "2023-11-14 22:13:20 GET /v1/cluster/all 200 1.3 ms user=asdf request=some-id"


def test_lines_are_written_in_one_piece_after_a_moment():
    written: list[str] = []

    async def main():
        done = asyncio.Event()

        def write(text: str) -> None:
            written.append(text)
            done.set()

        log = AccessLog(ManualClock(), write=write)
        log.record(ENTRY)
        log.record(ENTRY)
        assert written == []
        await asyncio.wait_for(done.wait(), 20)

    asyncio.run(main())
    assert written == [f"{LINE}\n{LINE}"]


def test_a_full_batch_is_written_at_once():
    written: list[str] = []

    async def main():
        log = AccessLog(ManualClock(), write=written.append)
        for _ in range(BATCH_LEN_MAX):
            log.record(ENTRY)

    asyncio.run(main())
    assert len(written) == 1
    assert len(written[0].splitlines()) == BATCH_LEN_MAX


def test_a_path_cannot_forge_a_line():
    written: list[str] = []

    async def main():
        log = AccessLog(ManualClock(), write=written.append)
        log.record(ENTRY._replace(path="/a\nb\x1b[2J" + "x" * 1000, user_id=""))
        log.flush()

    asyncio.run(main())
    (line,) = written[0].splitlines()
    assert "/a\\nb\\x1b[2Jxxx" in line
    assert len(line) < 320
    assert " user=- " in line


def test_a_log_that_is_off_keeps_nothing():
    written: list[str] = []
    log = AccessLog(ManualClock(), enabled=False, write=written.append)
    log.record(ENTRY)
    log.flush()
    assert written == []
