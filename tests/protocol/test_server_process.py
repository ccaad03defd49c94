"""The server as a process: it starts, gets ready, survives a kill, and stops when told."""

import stat
import subprocess
import sys

from tests.server import ADMIN_ID, ServerProcess


def run_server(*flags: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "hanami_actors.main", *flags]
    return subprocess.run(command, check=False, capture_output=True, text=True, timeout=60)


def test_a_started_server_is_live_before_its_kernels_are_ready(tmp_path):
    server = ServerProcess(tmp_path / "data")
    try:
        server.start(wait_until_ready=False)
        assert server.request("GET", "/v1/health/live").json() == {"live": True}
        assert server.token() != ""
    finally:
        server.close()


def test_a_ready_server_stops_with_status_0_on_sigterm(server):
    assert server.request("GET", "/v1/health/ready").json() == {"ready": True}
    assert server.terminate() == 0
    assert "Traceback" not in server.log
    assert not server.is_running


def test_a_killed_server_starts_again_on_its_directory_and_port(server):
    address = server.address
    server.kill()
    server.start()
    assert server.address == address
    assert (
        server.request("POST", "/v1/token", json={"id": ADMIN_ID, "password": "x" * 9}).status_code
        == 401
    )
    assert server.token() != ""


def test_a_second_server_on_the_same_directory_is_refused(warm_server):
    done = run_server("--data-dir", str(warm_server.data_dir), "--port", "0")
    assert done.returncode == 1
    assert str(warm_server.data_dir) in done.stderr
    assert "Traceback" not in done.stderr
    assert warm_server.token() != ""


def test_a_port_that_is_taken_ends_the_start_with_a_sentence(warm_server, tmp_path):
    port = warm_server.address.rsplit(":", 1)[1]
    done = run_server("--data-dir", str(tmp_path), "--port", port)
    assert done.returncode == 1
    assert port in done.stderr
    assert "Traceback" not in done.stderr


def test_a_bad_setting_ends_the_start_with_a_sentence(tmp_path):
    done = run_server("--data-dir", str(tmp_path / "data"), "--slice-ms", "0")
    assert done.returncode == 1
    assert done.stderr.startswith("hanami-server: flag --slice-ms: slice_ms is '0'")
    assert not (tmp_path / "data").exists()


def test_without_a_named_admin_a_passphrase_is_made_up_and_kept_private(make_server):
    names = ("USER_ID", "USER_NAME", "PASSPHRASE")
    server = make_server(environ={f"HANAMI_ADMIN_{name}": "" for name in names})
    file = server.data_dir / "admin-passphrase"
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    passphrase = file.read_text(encoding="utf-8").strip()
    assert server.token("admin", passphrase) != ""
    assert passphrase not in server.log
