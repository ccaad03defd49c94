"""The whole backend on its real log, without kernels."""

import threading

import pytest

from hanami_actors import settings as settings_module
from hanami_actors.actors.gateway import Command
from hanami_actors.app import running_backend
from hanami_actors.bootstrap import PASSPHRASE_FILE
from hanami_actors.domain.base import Who
from hanami_actors.domain.dataset.messages import CreateUploadedDataset
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.errors import LogLockedError, SettingsError
from tests.unit.actors.harness import DIRECTORY, answer_of, upload_target

ALICE = Who(user_id="alice", project_id="lab")
NAMED = {
    "HANAMI_ADMIN_USER_ID": "root",
    "HANAMI_ADMIN_USER_NAME": "Root",
    "HANAMI_ADMIN_PASSPHRASE": "correct horse",
}


@pytest.fixture
def settings(tmp_path):
    return settings_module.defaults(
        data_dir=tmp_path / "data", kernel_cache_dir=tmp_path / "cache", host_threads=1
    )


def ask(backend, target, message):
    return answer_of(backend.gateway.ask(target, Command(message=message, who=ALICE)))


def test_the_first_start_makes_one_administrator_and_later_ones_none(settings):
    shown: list[str] = []
    with running_backend(settings) as backend:
        backend.create_first_admin({}, shown.append)
        backend.create_first_admin({}, shown.append)
        assert backend.gateway.tables.users["admin"].state.is_admin
    with running_backend(settings) as backend:
        backend.create_first_admin(NAMED, shown.append)
        assert list(backend.gateway.tables.users) == ["admin"]
    assert len(shown) == 1
    passphrase = (settings.data_dir / PASSPHRASE_FILE).read_text(encoding="utf-8").strip()
    assert passphrase in shown[0]
    log = b"".join(path.read_bytes() for path in (settings.data_dir / "log").iterdir())
    assert passphrase.encode() not in log


def test_a_refused_administrator_leaves_a_directory_that_starts_again(settings):
    with pytest.raises(SettingsError), running_backend(settings) as backend:
        backend.create_first_admin({"HANAMI_ADMIN_USER_ID": "root"}, None)
    with running_backend(settings) as backend:
        backend.create_first_admin(NAMED, None)
        assert "root" in backend.gateway.tables.users


def test_leftovers_of_a_crash_are_gone_after_the_start_and_uploads_go_on(settings):
    message = CreateUploadedDataset(name="data", kind="csv", input_size_bytes=10)
    with running_backend(settings) as backend:
        uuid = ask(backend, DIRECTORY, message).upload_uuids[0]
        ask(backend, upload_target(uuid), AppendChunk(position=0, data=b"abc"))
    uploads = settings.data_dir / "uploads"
    (uploads / f"{uuid}.import").write_bytes(b"half")
    (uploads / "00000000-0000-4000-8000-000000000009").write_bytes(b"old")
    with running_backend(settings) as backend:
        assert [path.name for path in uploads.iterdir()] == [uuid]
        assert backend.gateway.tables.uploads[uuid].state.ranges == ((0, 3),)
        assert backend.gateway.pending_count() == 0


def test_a_second_backend_on_the_same_directory_is_refused_and_the_first_lives(settings):
    with running_backend(settings) as backend:
        with pytest.raises(LogLockedError), running_backend(settings):
            pass
        backend.create_first_admin(NAMED, None)
        assert "root" in backend.gateway.tables.users


def test_no_thread_of_a_stopped_backend_is_left(settings):
    before = set(threading.enumerate())
    with running_backend(settings) as backend:
        backend.create_first_admin(NAMED, None)
        assert set(threading.enumerate()) > before
    for thread in set(threading.enumerate()) - before:
        thread.join(10)
    assert set(threading.enumerate()) <= before
