"""The first start: one key, one administrator, and both only readable by their owner."""

import os
import stat

import pytest

from hanami_actors.bootstrap import (
    PASSPHRASE_FILE,
    SIGNING_KEY_FILE,
    announce_passphrase,
    first_admin,
    signing_key,
    write_private,
)
from hanami_actors.domain.tables import EMPTY, fold
from hanami_actors.domain.user.events import UserCreated, UserDeleted
from hanami_actors.errors import LogError, SettingsError, StorageFullError
from hanami_actors.ports import SystemEntropy

NAMED = {
    "HANAMI_ADMIN_USER_ID": "root",
    "HANAMI_ADMIN_USER_NAME": "The Root",
    "HANAMI_ADMIN_PASSPHRASE": "correct horse",
}


def mode_of(path):
    return stat.S_IMODE(path.stat().st_mode)


def tables_with(*events):
    tables = EMPTY
    for position, event in enumerate(events, 1):
        tables = fold(tables, "user/root", position, position, position, event)
    return tables


def user(*, is_admin):
    return UserCreated(
        id="root", name="Root", passphrase_hash="h", is_admin=is_admin, creator_id="x"
    )


def test_the_signing_key_is_made_once_and_private(tmp_path):
    key = signing_key(tmp_path, SystemEntropy())
    assert len(key) >= 32
    assert signing_key(tmp_path, SystemEntropy()) == key
    assert mode_of(tmp_path / SIGNING_KEY_FILE) == 0o600
    assert [path.name for path in tmp_path.iterdir()] == [SIGNING_KEY_FILE]


def test_a_key_that_is_too_short_is_refused_with_what_to_do(tmp_path):
    (tmp_path / SIGNING_KEY_FILE).write_bytes(b"short")
    with pytest.raises(SettingsError, match="5 bytes, at least 32"):
        signing_key(tmp_path, SystemEntropy())


def test_a_key_that_cannot_be_read_is_an_error_with_its_name(tmp_path):
    (tmp_path / SIGNING_KEY_FILE).mkdir()
    with pytest.raises(LogError, match=SIGNING_KEY_FILE):
        signing_key(tmp_path, SystemEntropy())


def test_the_environment_names_the_first_administrator():
    admin = first_admin(EMPTY, NAMED, SystemEntropy())
    assert admin is not None
    assert (admin.user_id, admin.name, admin.passphrase) == ("root", "The Root", "correct horse")
    assert not admin.is_made_up
    assert "correct horse" not in repr(admin)


def test_the_old_name_of_the_passphrase_variable_counts_too():
    environ = {**NAMED, "HANAMI_ADMIN_PASSWORD": "battery staple"}
    del environ["HANAMI_ADMIN_PASSPHRASE"]
    admin = first_admin(EMPTY, environ, SystemEntropy())
    assert admin is not None
    assert admin.passphrase == "battery staple"


def test_without_names_a_passphrase_is_made_up_and_is_new_every_time():
    first, second = (first_admin(EMPTY, {}, SystemEntropy()) for _ in range(2))
    assert first is not None
    assert second is not None
    assert first.user_id == "admin"
    assert first.is_made_up
    assert len(first.passphrase) >= 24
    assert first.passphrase != second.passphrase


@pytest.mark.parametrize("missing", sorted(NAMED))
def test_half_a_name_is_refused_and_says_which_variable_is_missing(missing):
    environ = {name: value for name, value in NAMED.items() if name != missing}
    with pytest.raises(SettingsError, match=missing):
        first_admin(EMPTY, environ, SystemEntropy())


def test_a_short_passphrase_is_refused():
    with pytest.raises(SettingsError, match="7 characters, at least 8"):
        first_admin(EMPTY, {**NAMED, "HANAMI_ADMIN_PASSPHRASE": "seven 7"}, SystemEntropy())


def test_an_administrator_that_lives_is_enough():
    tables = tables_with(user(is_admin=True))
    assert first_admin(tables, NAMED, SystemEntropy()) is None


def test_a_deleted_administrator_or_a_mere_member_is_not_enough():
    for tables in (
        tables_with(user(is_admin=True), UserDeleted()),
        tables_with(user(is_admin=False)),
    ):
        assert first_admin(tables, NAMED, SystemEntropy()) is not None


def test_a_made_up_passphrase_is_kept_private_and_shown_once(tmp_path):
    admin = first_admin(EMPTY, {}, SystemEntropy())
    assert admin is not None
    shown: list[str] = []
    announce_passphrase(admin, tmp_path, shown.append)
    path = tmp_path / PASSPHRASE_FILE
    assert path.read_text(encoding="utf-8") == f"{admin.passphrase}\n"
    assert mode_of(path) == 0o600
    (text,) = shown
    assert admin.passphrase in text
    announce_passphrase(admin, tmp_path, None)
    assert len(shown) == 1


def test_a_private_file_is_replaced_as_a_whole_whatever_was_left_behind(tmp_path):
    path, leftover = tmp_path / "secret", tmp_path / "secret.new"
    leftover.write_bytes(b"half")
    leftover.chmod(0o666)
    write_private(path, b"one")
    write_private(path, b"two")
    assert path.read_bytes() == b"two"
    assert mode_of(path) == 0o600
    assert not leftover.exists()


def test_a_private_file_that_finds_no_room_leaves_the_old_one(tmp_path, monkeypatch):
    path = tmp_path / "secret"
    write_private(path, b"one")

    def no_room(descriptor):
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", no_room)
        with pytest.raises(StorageFullError):
            write_private(path, b"two")
    assert path.read_bytes() == b"one"


@pytest.mark.parametrize("user_id", ["abc", "1234", "a b c", "x" * 255, "ümlaut", "name\n"])
def test_an_id_with_which_nobody_could_log_in_is_refused(user_id):
    with pytest.raises(SettingsError, match="HANAMI_ADMIN_USER_ID"):
        first_admin(EMPTY, NAMED | {"HANAMI_ADMIN_USER_ID": user_id}, SystemEntropy())
