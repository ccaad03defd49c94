"""SIGKILL while files come in: what was acknowledged for good is there, nothing is torn."""

import contextlib
import threading

import httpx
import pytest

from tests.crash.server.uploader import CHUNK_BYTES, Uploader, csv_bytes

ROWS = 600


def restart(server):
    server.kill()
    server.start(wait_until_ready=False)


def test_a_file_acknowledged_to_its_last_chunk_survives_a_kill(server):
    upload = Uploader.of_pictures(server, ROWS)
    upload.send_all()
    restart(server)
    upload.token = server.token()
    assert upload.is_complete()
    assert upload.finalize().status_code == 200
    assert upload.shown()["number_of_rows"] == ROWS
    assert upload.leftovers() == []


def test_a_half_sent_file_says_after_a_kill_what_is_missing_and_can_be_completed(server):
    upload = Uploader.of_pictures(server, ROWS)
    upload.send("uuid_label_file")
    upload.send("uuid_input_file", 0, 2)
    restart(server)
    upload.token = server.token()
    refused = upload.finalize()
    assert refused.status_code == 409
    assert "missing are bytes" in refused.text
    # At most one second of acknowledged chunks may be missing again; a client sends what is.
    upload.send("uuid_input_file")
    assert upload.finalize().status_code == 200
    assert upload.shown()["number_of_rows"] == ROWS
    assert upload.leftovers() == []


@pytest.mark.parametrize("kind", ["mnist", "csv"])
def test_a_kill_in_the_middle_of_an_import_leaves_the_upload_or_the_dataset(server, kind):
    if kind == "csv":
        upload = Uploader(server, "csv", csv_bytes(60_000))
    else:
        upload = Uploader.of_pictures(server, 4 * ROWS)
    upload.send_all()

    def finalize_into_the_void():
        # The connection breaks somewhere on the way, or just after it.
        with contextlib.suppress(httpx.HTTPError):
            upload.finalize()

    finalizing = threading.Thread(target=finalize_into_the_void)
    wait_for_import = threading.Thread(target=wait_for_second_name, args=(upload,))
    wait_for_import.start()
    finalizing.start()
    wait_for_import.join()
    restart(server)
    finalizing.join()
    upload.token = server.token()
    assert all(not name.endswith(".import") for name in upload.leftovers())
    assert upload.is_complete()
    assert upload.finalize().status_code == 200
    assert upload.shown()["number_of_rows"] in {60_000, 4 * ROWS}
    assert upload.leftovers() == []
    assert list((server.data_dir / "blobs" / "tmp").iterdir()) == []


def wait_for_second_name(upload):
    """Look until the import has begun or is over."""
    begun = False
    while not begun:
        names = upload.leftovers()
        begun = any(name.endswith(".import") for name in names) or not names


def test_the_chunks_of_a_killed_server_lie_where_they_belong(server):
    upload = Uploader.of_pictures(server, ROWS)
    upload.send("uuid_input_file", 1, 3)
    upload.send("uuid_label_file")
    server.kill()
    stored = (server.data_dir / "uploads" / upload.answer["uuid_input_file"]).read_bytes()
    sent = upload.files["uuid_input_file"]
    assert stored[CHUNK_BYTES : 3 * CHUNK_BYTES] == sent[CHUNK_BYTES : 3 * CHUNK_BYTES]
    assert len(stored) == len(sent)
