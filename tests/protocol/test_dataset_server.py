"""Datasets through the real server: interrupted uploads, whole downloads, hostile clients."""

import hashlib
import io
import json
import threading
from contextlib import ExitStack
from pathlib import Path

import numpy as np
import pytest

from hanami_actors.wire.hanami_messages_pb2 import FileUpload_Message, FileUploadResponse_Message
from tests.protocol.raw_clients import RawHttp, RawWebSocket
from tests.server import ServerProcess

CHUNK_BYTES = 128 * 1024
POLL_S = 0.02
TIMEOUT_S = 30.0
MIB = 1024 * 1024


class User:
    """Somebody who uses one server without any of our client libraries."""

    def __init__(self, server):
        self.server = server
        self.token = server.token()

    @property
    def port(self):
        return int(self.server.address.rpartition(":")[2])

    def ask(self, method, path, **values):
        where = {"json": values} if method in {"POST", "PUT"} else {"params": values}
        return self.server.request(method, f"/v1/{path}", token=self.token, **where)

    def get(self, path, **values):
        answer = self.ask("GET", path, **values)
        assert answer.status_code == 200, answer.text
        return answer

    def announce(self, data, **fields):
        body = {"name": "table", "input_data_size": len(data), **fields}
        answer = self.ask("POST", "dataset/upload/csv", **body)
        assert answer.status_code == 200, answer.text
        reply = answer.json()
        return reply["uuid"], reply["uuid_input_file"]

    def send(self, file_uuid, chunks):
        """Send ``(position, data)``; return what was refused."""
        refusals = []
        with RawWebSocket(self.port) as ws:
            assert ws.handshake(self.token, "file_upload", file_uuid)["success"] is True
            for position, data in chunks:
                message = FileUpload_Message(position=position, data=data)
                ws.send(message.SerializeToString())
                answer = FileUploadResponse_Message.FromString(ws.receive())
                if not answer.success:
                    refusals.append(answer.errorMessage)
        return refusals

    def finalize(self, uuid, file_uuid):
        return self.ask("PUT", "dataset/upload/csv", uuid=uuid, uuid_input_file=file_uuid)

    def upload(self, data):
        uuid, file_uuid = self.announce(data)
        assert self.send(file_uuid, pieces(data)) == []
        assert self.finalize(uuid, file_uuid).status_code == 200
        return uuid


def pieces(data, ranges=None):
    for start, end in ranges or [(0, len(data))]:
        for at in range(start, end, CHUNK_BYTES):
            yield at, data[at : min(at + CHUNK_BYTES, end)]


def csv_of(values):
    header = ",".join(f"c{index}" for index in range(values.shape[1]))
    rows = "\n".join(",".join(map(str, row)) for row in values)
    return f"{header}\n{rows}\n".encode()


@pytest.fixture(scope="module")
def values():
    return np.random.default_rng(1).normal(size=(20_000, 8)).astype(np.float32)


def start(server):
    # Nothing here computes, so nobody waits for the kernels.
    return server.start(wait_until_ready=False)


@pytest.fixture(scope="module")
def user(tmp_path_factory):
    server = ServerProcess(tmp_path_factory.mktemp("datasets") / "data")
    try:
        yield User(start(server))
    finally:
        server.close()


@pytest.fixture
def make_server(tmp_path):
    with ExitStack() as stack:

        def make(*flags):
            server = ServerProcess(tmp_path / "data", *flags)
            stack.callback(server.close)
            return start(server)

        yield make


@pytest.fixture(scope="module")
def table(user, values):
    """A dataset of 160,000 numbers; what it holds is in ``values``."""
    return user.upload(csv_of(values))


def test_an_upload_goes_on_after_a_kill_with_only_what_is_missing(make_server, values):
    user = User(make_server())
    data = csv_of(values)
    uuid, file_uuid = user.announce(data, input_checksum=hashlib.sha256(data).hexdigest())
    first = list(pieces(data))[::2]
    assert user.send(file_uuid, first) == []
    # Recorded bytes survive; those of the last moment may be asked for again.
    user.server.kill()
    start(user.server)
    user.token = user.server.token()
    state = user.get("dataset/upload", uuid=file_uuid).json()
    sent = {position for position, _ in first}
    assert state["complete"] is False
    assert state["size_bytes"] == len(data)
    missing = [tuple(span) for span in state["missing"]]
    for position, chunk in pieces(data):
        is_missing = any(start <= position < end for start, end in missing)
        assert is_missing or position in sent, "what was never sent is not claimed"
        assert chunk
    assert user.finalize(uuid, file_uuid).status_code == 409
    assert user.send(file_uuid, pieces(data, missing)) == []
    assert user.get("dataset/upload", uuid=file_uuid).json()["missing"] == []
    assert user.get("dataset/progress", uuid=uuid).json()["complete"] is True
    # The checksum of the whole file is right, or this would be refused.
    assert user.finalize(uuid, file_uuid).status_code == 200
    body = user.get("dataset/download", uuid=uuid, format="npy").content
    assert (np.load(io.BytesIO(body)) == values).all()


def test_bytes_that_were_recorded_are_not_missing_after_a_kill(make_server):
    user = User(make_server())
    data = b"a\n" + b"1\n" * (9 * MIB)
    _, file_uuid = user.announce(data)
    # More than is ever held back unrecorded.
    assert user.send(file_uuid, pieces(data, [(0, 17 * MIB)])) == []
    user.server.kill()
    start(user.server)
    user.token = user.server.token()
    state = user.get("dataset/upload", uuid=file_uuid).json()
    assert state["received_bytes"] >= 16 * MIB
    assert state["missing"][-1][1] == len(data)


def test_a_whole_dataset_comes_as_npy_and_as_csv(user, table, values):
    answer = user.get("dataset/download", uuid=table, format="npy")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Content-Disposition"] == 'attachment; filename="table.npy"'
    array = np.load(io.BytesIO(answer.content))
    assert array.dtype == np.float32
    assert (array == values).all()
    text = user.get("dataset/download", uuid=table).content
    assert text.startswith(b"c0,c1,c2,c3,c4,c5,c6,c7\n")
    read = np.loadtxt(io.BytesIO(text), delimiter=",", skiprows=1, dtype=np.float32)
    assert (read == values).all()
    # It goes in again as what it was.
    again = user.upload(text)
    body = user.get("dataset/download", uuid=again, format="npy").content
    assert body == answer.content


def test_columns_and_rows_are_chosen(user, table, values):
    query = {"uuid": table, "format": "npy", "column": "c5,c0", "row_offset": 19_990}
    array = np.load(io.BytesIO(user.get("dataset/download", **query).content))
    assert (array == values[19_990:, [5, 0]]).all()
    text = user.get("dataset/download", uuid=table, column="c1", number_of_rows=1).text
    assert text == f"c1\n{values[0, 1]!s}\n"
    for wrong in ({"row_offset": 20_000}, {"row_offset": 19_999, "number_of_rows": 2}):
        answer = user.ask("GET", "dataset/download", uuid=table, **wrong)
        assert (answer.status_code, "20000 rows" in answer.text) == (400, True)
    answer = user.ask("GET", "dataset/download", uuid=table, column="c9")
    assert (answer.status_code, "'c9'" in answer.text) == (404, True)


def test_clients_that_stop_reading_or_leave_cost_no_memory(make_server):
    server = make_server()
    user = User(server)
    big = np.random.default_rng(2).integers(0, 100, (400_000, 25)).astype(np.float32)
    data = b"\n".join(
        [
            ",".join(f"c{index}" for index in range(25)).encode(),
            *([b",".join([b"7"] * 25)] * len(big)),
            b"",
        ]
    )
    uuid = user.upload(data)
    path = f"/v1/dataset/download?uuid={uuid}&format="
    assert len(user.get("dataset/download", uuid=uuid, format="npy").content) > 40_000_000
    user.get("dataset/download", uuid=uuid, number_of_rows=50_000)
    before = memory_bytes(server.pid)
    with ExitStack() as stack:
        clients = [
            stack.enter_context(RawHttp(user.port)).request(
                "GET", path + kind, X_Auth_Token=user.token
            )
            for kind in ("npy", "csv") * 10
        ]
        for client in clients:
            assert b"200" in client._file.readline()
        # All of them hang now; others are served, and 20 times 40 MB are not in memory.
        assert user.get("dataset/all").status_code == 200
        assert memory_bytes(server.pid) - before < 150 * MIB
        for client in clients[::2]:
            client.__exit__()
        assert len(user.get("dataset/download", uuid=uuid, format="npy").content) > 40_000_000


def memory_bytes(pid):
    """Memory of its own, without what it maps from files."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return 1024 * next(int(line.split()[1]) for line in lines if line.startswith("RssAnon:"))


def test_chunks_outside_the_file_are_refused_and_harm_nothing(user):
    data = b"a,b\n1,2\n"
    uuid, file_uuid = user.announce(data)
    for position, wrong in ((1, data), (len(data), b"x"), (2**63, b"x"), (2**64 - 1, b"xx")):
        (refusal,) = user.send(file_uuid, [(position, wrong)])
        assert "8 bytes" in refusal
    assert user.get("dataset/upload", uuid=file_uuid).json()["received_bytes"] == 0
    assert user.send(file_uuid, [(0, data)]) == []
    assert user.finalize(uuid, file_uuid).status_code == 200


def test_a_finalize_whose_answer_was_lost_is_repeated_with_success(user):
    data = b"a,b\n1,2\n"
    uuid, file_uuid = user.announce(data)
    user.send(file_uuid, [(0, data)])
    first, second = user.finalize(uuid, file_uuid), user.finalize(uuid, file_uuid)
    assert (first.status_code, second.status_code) == (200, 200)
    assert first.json() == second.json() == {"uuid": uuid}
    shown = user.get("dataset/progress", uuid=uuid).json()
    assert (shown["complete"], shown["state"]) == (True, "finished")
    assert user.finalize(uuid, uuid).status_code == 404
    assert user.ask("GET", "dataset/upload", uuid=file_uuid).status_code == 404


def test_two_finalizes_at_once_both_succeed(user, values):
    data = csv_of(values)
    uuid, file_uuid = user.announce(data)
    user.send(file_uuid, pieces(data))
    answers = []
    threads = [
        threading.Thread(target=lambda: answers.append(user.finalize(uuid, file_uuid)))
        for _ in range(3)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(TIMEOUT_S)
    assert [answer.status_code for answer in answers] == [200] * 3


def test_a_file_with_another_checksum_is_409_with_both_and_can_be_sent_again(user):
    data, spoilt = b"a,b\n1,2\n", b"a,b\n1,3\n"
    checksum = hashlib.sha256(data).hexdigest()
    uuid, file_uuid = user.announce(data, input_checksum=checksum)
    user.send(file_uuid, [(0, spoilt)])
    answer = user.finalize(uuid, file_uuid)
    assert answer.status_code == 409
    assert checksum in answer.text
    assert hashlib.sha256(spoilt).hexdigest() in answer.text
    assert user.get("dataset/upload", uuid=file_uuid).json()["missing"] == [[0, 8]]
    user.send(file_uuid, [(0, data)])
    assert user.finalize(uuid, file_uuid).status_code == 200


def test_a_deleted_dataset_is_404_everywhere(user):
    uuid = user.upload(b"a,b\n1,2\n")
    assert user.ask("DELETE", "dataset", uuid=uuid).status_code == 200
    calls = {
        "dataset": {},
        "dataset/content": {"column_name": "a", "row_offset": 0, "number_of_rows": 1},
        "dataset/download": {},
        "dataset/progress": {},
        "dataset/check": {"reference_uuid": uuid},
        "dataset/report": {"reference_uuid": uuid},
    }
    for path, query in calls.items():
        assert user.ask("GET", path, uuid=uuid, **query).status_code == 404, path
    assert user.ask("DELETE", "dataset", uuid=uuid).status_code == 404


def test_a_report_of_columns_of_a_table(user):
    uuid = user.upload(b"said,right\n0.9,1\n0.2,0\n0.4,1\n0.1,0\n")
    report = user.get(
        "dataset/report", uuid=uuid, reference_uuid=uuid, column="said", reference_column="right"
    ).json()
    assert report["accuracy"] == 75.0
    assert report["confusion_matrix"] == [[2, 0], [1, 1]]
    assert report["mean_absolute_error"] == pytest.approx(0.25)
    answer = user.ask("GET", "dataset/report", uuid=uuid, reference_uuid=uuid)
    assert (answer.status_code, "'column'" in answer.text) == (400, True)


def test_an_upload_that_was_left_alone_expires_also_over_a_restart(make_server):
    server = make_server()
    user = User(server)
    uuid, file_uuid = user.announce(b"a,b\n1,2\n")
    user.send(file_uuid, [(0, b"a,b")])
    server.terminate()
    server.environ["HANAMI_UPLOAD_EXPIRY_S"] = "0.1"
    start(server)
    user.token = server.token()
    answer = user.ask("GET", "dataset/progress", uuid=uuid)
    for _ in range(int(TIMEOUT_S / POLL_S)):
        if answer.status_code != 200:
            break
        threading.Event().wait(POLL_S)
        answer = user.ask("GET", "dataset/progress", uuid=uuid)
    assert (answer.status_code, "expired" in answer.text) == (409, True)
    assert user.ask("GET", "dataset/upload", uuid=file_uuid).status_code == 404
    assert list((server.data_dir / "uploads").iterdir()) == []
    assert json.loads(user.get("dataset/all").content)["body"][0][1] == uuid


def test_what_does_not_fit_is_refused_before_a_byte_is_stored(make_server):
    server = make_server("--disk-free-min-bytes", str(2**50), "--upload-size-max-bytes", "1000")
    user = User(server)
    body = {"name": "table", "input_data_size": 10}
    answer = user.ask("POST", "dataset/upload/csv", **body)
    assert (answer.status_code, "10 bytes" in answer.text) == (507, True)
    answer = user.ask("POST", "dataset/upload/csv", **(body | {"input_data_size": 1001}))
    assert (answer.status_code, "1000" in answer.text) == (409, True)
    assert user.get("dataset/all").json()["body"] == []
