"""hanami-log looks at a log without changing it, and says what is wrong in a sentence."""

import json

import pytest

from hanami_actors import log_cli
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.user.events import UserCreated, UserDeleted
from hanami_actors.eventlog.lmdb_log import LmdbEventLog
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.types import StreamId, StreamVersion, TimestampUs


@pytest.fixture
def data_dir(tmp_path):
    log = LmdbEventLog(tmp_path / "log")
    for number, name in enumerate(("anna", "bert")):
        created = UserCreated(
            id=name, name=name, passphrase_hash="$secret", is_admin=False, creator_id="root"
        )
        events = (created, UserDeleted()) if name == "bert" else (created,)
        append = Append(
            stream=StreamId(f"user/{name}"), expected_version=StreamVersion(0), events=events
        )
        stamp = Stamp(
            now_us=TimestampUs(1_700_000_000_000_000 + number),
            who=Who(user_id="root", project_id="admin"),
        )
        log.append([Batch(appends=(append,), stamp=stamp)])
    log.close()
    return tmp_path


def run(monkeypatch, capsys, *arguments):
    monkeypatch.setattr("sys.argv", ["hanami-log", *map(str, arguments)])
    code = log_cli.main()
    return code, capsys.readouterr()


def test_list_shows_every_record_and_filters(monkeypatch, capsys, data_dir):
    code, shown = run(monkeypatch, capsys, "--data-dir", data_dir, "list")
    assert code == 0
    assert [line.split()[3] for line in shown.out.splitlines()] == [
        "user.created", "user.created", "user.deleted",
    ]  # fmt: skip
    _, shown = run(
        monkeypatch, capsys, "--data-dir", data_dir, "list", "--stream", "user/bert", "--json"
    )
    records = [json.loads(line) for line in shown.out.splitlines()]
    assert [(r["position"], r["version"]) for r in records] == [(2, 1), (3, 2)]


def test_no_hash_of_a_passphrase_is_shown(monkeypatch, capsys, data_dir):
    for arguments in (["list"], ["list", "--json"], ["show", "1"]):
        code, shown = run(monkeypatch, capsys, "--data-dir", data_dir, *arguments)
        assert code == 0
        assert "anna" in shown.out
        assert "$secret" not in shown.out


def test_verify_and_stats_count_what_is_there(monkeypatch, capsys, data_dir):
    code, shown = run(monkeypatch, capsys, "--data-dir", data_dir, "verify")
    assert (code, shown.out.split()[0]) == (0, "3")
    code, shown = run(monkeypatch, capsys, "--data-dir", data_dir, "stats", "--json")
    assert json.loads(shown.out) == {"user.created": 2, "user.deleted": 1}


def test_a_record_that_is_not_there_and_a_directory_without_a_log_are_sentences(
    monkeypatch, capsys, data_dir, tmp_path
):
    code, shown = run(monkeypatch, capsys, "--data-dir", data_dir, "show", "9")
    assert code == 2
    assert "the newest is 3" in shown.err
    code, shown = run(monkeypatch, capsys, "--data-dir", tmp_path / "nowhere", "list")
    assert code == 1
    assert shown.err.startswith("hanami-log: ")
    assert not (tmp_path / "nowhere").exists()


def test_verify_names_the_record_that_was_changed(monkeypatch, capsys, data_dir):
    path = data_dir / "log" / "data.mdb"
    raw = path.read_bytes()
    assert raw.count(b"bert") > 0
    path.write_bytes(raw.replace(b"\xa4bert\xa4", b"\xa4bent\xa4"))
    code, shown = run(monkeypatch, capsys, "--data-dir", data_dir, "verify")
    assert code == 1
    assert "record 2" in shown.err
