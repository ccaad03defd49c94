"""SIGTERM and SIGINT: an orderly stop, a hurried one, and one while nothing works."""

import signal

import pytest

from tests.crash.server.uploader import Uploader, csv_bytes
from tests.journey import Journey, write_idx
from tests.server import ServerProcess
from tests.unit.actors.harness import wait_until

ROWS = 400


@pytest.fixture
def broken_numba(tmp_path):
    """A directory for PYTHONPATH that hides numba behind an error."""
    package = tmp_path / "modules" / "numba"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("raise ImportError('numba needs another NumPy')\n")
    return {"PYTHONPATH": str(package.parent)}


@pytest.fixture
def cold_server(tmp_path, broken_numba):
    """A server that will never have kernels."""
    process = ServerProcess(tmp_path / "data", environ=broken_numba)
    yield process
    process.close()


def long_training(server, tmp_path):
    """Start a training that nobody waits for; return user, cluster and task."""
    user = Journey(server)
    data = user.upload(*write_idx(tmp_path, ROWS))
    network = user.create_cluster("patient")
    return user, network, user.train(network, data, epochs=1000)


def test_kernels_that_cannot_be_loaded_show_in_readiness_and_tasks_wait_for_better_times(
    cold_server, tmp_path
):
    cold_server.start(wait_until_ready=False)
    cold_server.wait_for_line("loading the kernels failed")

    def refusal():
        answer = cold_server.request("GET", "/v1/health/ready")
        assert answer.status_code == 503
        return "numba needs another NumPy" in answer.text

    wait_until(refusal)
    assert cold_server.request("GET", "/v1/health/live").status_code == 200
    upload = Uploader.of_pictures(cold_server, 50)
    upload.send_all()
    assert upload.finalize().status_code == 200
    assert cold_server.terminate() == 0


def test_a_stop_in_the_middle_of_an_upload_keeps_every_acknowledged_chunk(make_server):
    server = make_server()
    upload = Uploader.of_pictures(server, 600)
    upload.send("uuid_input_file", 0, 2)
    assert server.terminate() == 0
    server.start(wait_until_ready=False)
    upload.token = server.token()
    upload.send("uuid_input_file", 2)
    upload.send("uuid_label_file")
    assert upload.is_complete()
    assert upload.finalize().status_code == 200
    assert "Traceback" not in server.log


def test_a_stop_ends_the_child_that_reads_csv_files(make_server):
    server = make_server()
    upload = Uploader(server, "csv", csv_bytes(1000))
    upload.send_all()
    assert upload.finalize().status_code == 200
    assert server.terminate() == 0
    assert "Traceback" not in server.log


def test_a_second_signal_stops_at_once_and_nothing_is_lost(server, tmp_path):
    user, network, training = long_training(server, tmp_path)
    user.wait_for(training, network, lambda shown: shown["current_cycle"] > ROWS)
    for _ in range(3):
        if server.is_running:
            server._signal(signal.SIGINT)
    assert server._wait_for_end() in {0, 130}
    assert "Traceback" not in server.log
    server.start()
    user.log_in()
    shown = user.wait_for(training, network, lambda task: task["current_cycle"] > 2 * ROWS)
    assert shown["state"] == "active"
