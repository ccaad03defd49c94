"""Kernels come up in the background, or everybody hears why not."""

import os
import signal
import threading

import pytest

from hanami_actors import compute
from hanami_actors.engine import kernel_warmer as kernels
from hanami_actors.engine.kernel_warmer import KernelWarmer
from hanami_actors.errors import BusyError

TIMEOUT_S = 30


class Listener:
    def __init__(self):
        self.heard = threading.Event()
        self.calls = []

    def ready(self):
        self.calls.append("ready")
        self.heard.set()

    def failed(self, reason):
        self.calls.append(reason)
        self.heard.set()


@pytest.fixture
def listener():
    return Listener()


@pytest.fixture
def warmer(tmp_path, monkeypatch, listener):
    monkeypatch.setattr(kernels, "CHILD", "")
    monkeypatch.setattr(compute, "warm_up", lambda: None)
    made = KernelWarmer(tmp_path / "cache", listener.ready, listener.failed)
    yield made
    made.stop()


def test_ready_is_told_once_the_kernels_are_loaded(warmer, listener):
    assert not warmer.is_ready()
    warmer.start()
    assert listener.heard.wait(TIMEOUT_S)
    assert warmer.is_ready()
    assert listener.calls == ["ready"]


def test_no_child_is_started_when_the_cache_is_warm(warmer, listener, monkeypatch, tmp_path):
    monkeypatch.setattr(kernels, "is_warm", lambda directory: directory == tmp_path / "cache")
    warmer.start()
    assert listener.heard.wait(TIMEOUT_S)
    assert listener.calls == ["ready"]
    assert warmer._child is None


def test_a_child_that_fails_leaves_the_compiling_to_the_server(
    warmer, listener, monkeypatch, caplog
):
    monkeypatch.setattr(kernels, "CHILD", "raise SystemExit(3)")
    warmer.start()
    assert listener.heard.wait(TIMEOUT_S)
    assert warmer.is_ready()
    assert "ended with 3" in caplog.text


def test_a_cache_that_cannot_be_written_is_no_failure(warmer, listener, tmp_path):
    (tmp_path / "cache").write_bytes(b"a file")
    warmer.start()
    assert listener.heard.wait(TIMEOUT_S)
    assert warmer.is_ready()


def test_kernels_that_cannot_be_loaded_are_told_and_shown_with_the_reason(
    warmer, listener, monkeypatch, caplog
):
    def fail():
        raise ImportError("numba needs NumPy 2.4 or less")

    monkeypatch.setattr(compute, "warm_up", fail)
    warmer.start()
    assert listener.heard.wait(TIMEOUT_S)
    with pytest.raises(BusyError, match="numba needs NumPy"):
        warmer.is_ready()
    assert listener.calls == [warmer.failure]
    assert "Traceback" in caplog.text


def test_stopping_ends_the_child_and_compiles_nothing_here(warmer, monkeypatch, tmp_path):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    monkeypatch.setattr(
        kernels, "CHILD", f"import signal; open({str(pipe)!r}, 'w'); signal.pause()"
    )
    loaded = []
    monkeypatch.setattr(compute, "warm_up", lambda: loaded.append("here"))
    thread = threading.Thread(target=warmer._run, daemon=True)
    thread.start()
    with pipe.open():
        warmer.stop()
    thread.join(TIMEOUT_S)
    assert not thread.is_alive()
    assert loaded == []
    assert warmer._child is not None
    assert warmer._child.returncode == -signal.SIGTERM


def test_a_child_is_not_begun_after_the_stop(warmer, listener):
    warmer.stop()
    warmer._run()
    assert warmer._child is None
    assert listener.calls == []
    assert not warmer.is_ready()
