"""Uploads: every byte arrives, with a bounded window, and failures leave nothing behind."""

import asyncio
import gzip

import pytest

from hanami_sdk import dataset, hanami_exceptions
from hanami_sdk._upload import CHUNK_BYTES, HEADER_MAX_BYTES, WINDOW_CHUNKS, chunk_header
from hanami_sdk.hanami_messages.proto3_pb2 import FileUpload_Message
from tests.unit.sdk.stub_server import TOKEN

STARTED = {"uuid": "data", "uuid_input_file": "input", "uuid_label_file": "label"}


@pytest.fixture
def upload(script):
    """A server that takes uploads of both kinds."""
    for kind in ("mnist", "csv"):
        script.answer("POST", f"dataset/upload/{kind}", STARTED)
        script.answer("PUT", f"dataset/upload/{kind}", {"uuid": "data"})
    script.answer("GET", "dataset/progress", {"complete": True, "uuid": "data"})
    script.answer("DELETE", "dataset", {})
    return script


def pattern(size_bytes: int) -> bytes:
    return (bytes(range(251)) * (size_bytes // 251 + 1))[:size_bytes]


@pytest.fixture
def files(tmp_path):
    images, labels = tmp_path / "images", tmp_path / "labels"
    images.write_bytes(pattern(40 * CHUNK_BYTES + 17))
    labels.write_bytes(pattern(1000))
    return images, labels


@pytest.mark.parametrize("size_bytes", [1, CHUNK_BYTES - 1, CHUNK_BYTES, 3 * CHUNK_BYTES + 1])
def test_csv_uploads_of_every_size_arrive_complete(stub, upload, tmp_path, size_bytes):
    path = tmp_path / "data.csv"
    path.write_bytes(pattern(size_bytes))
    assert dataset.upload_csv_files(TOKEN, stub.address, "name", str(path)) == "data"
    assert upload.files["input"] == pattern(size_bytes)
    assert upload.call("POST", "dataset/upload/csv").json == {
        "name": "name",
        "input_data_size": size_bytes,
    }
    assert upload.call("PUT", "dataset/upload/csv").json == {
        "uuid": "data",
        "uuid_input_file": "input",
    }
    assert upload.first_messages == [{"token": TOKEN, "target": "file_upload", "uuid": "input"}]


def test_an_mnist_upload_sends_both_files_and_reports_bytes(stub, upload, files):
    seen = []
    uuid = dataset.upload_mnist_files(
        TOKEN, stub.address, "name", *files, progress=lambda done, total: seen.append((done, total))
    )
    assert uuid == "data"
    assert upload.files["input"] == files[0].read_bytes()
    assert upload.files["label"] == files[1].read_bytes()
    assert upload.call("POST", "dataset/upload/mnist").json == {
        "name": "name",
        "input_data_size": 40 * CHUNK_BYTES + 17,
        "label_data_size": 1000,
    }
    assert upload.call("PUT", "dataset/upload/mnist").json == STARTED
    total = 40 * CHUNK_BYTES + 1017
    assert seen[-1] == (total, total)
    assert [done for done, _ in seen] == sorted(done for done, _ in seen)


def test_chunks_are_sent_ahead_of_their_acknowledgements_but_not_more_than_a_window(
    stub, upload, tmp_path
):
    # The stub answers nothing before a whole window has come, and all of it at once then.
    upload.hold_acknowledgements_until = WINDOW_CHUNKS
    path = tmp_path / "data.csv"
    path.write_bytes(pattern((WINDOW_CHUNKS + 3) * CHUNK_BYTES))
    dataset.upload_csv_files(TOKEN, stub.address, "name", path)
    assert upload.chunks_outstanding_max == WINDOW_CHUNKS
    assert upload.files["input"] == path.read_bytes()


def test_the_progress_is_asked_until_the_server_has_everything(stub, upload):
    upload.answers[("GET", "dataset/progress")] = [
        (200, {"complete": False, "uuid": "d"}, {}),
        (200, {"complete": False, "uuid": "d"}, {}),
        (200, {"complete": True, "uuid": "d"}, {}),
    ]
    assert dataset.wait_until_upload_complete(TOKEN, stub.address, "d") is True
    assert len(upload.calls) == 3


def test_a_refused_handshake_is_an_internal_error_with_the_reason(stub, upload, files):
    upload.handshake_error = "Tempfile not found"
    with pytest.raises(hanami_exceptions.InternalServerErrorException) as caught:
        dataset.upload_mnist_files(TOKEN, stub.address, "name", *files)
    assert caught.value.reason == "Tempfile not found"
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_a_refused_chunk_is_a_bad_request_and_the_dataset_is_deleted_again(stub, upload, files):
    upload.chunk_error = "beyond the announced size"
    with pytest.raises(hanami_exceptions.BadRequestException, match="beyond the announced size"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", *files)
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_a_broken_connection_is_a_connection_error_with_the_reason(stub, upload, files):
    upload.close_after_chunks = 20
    with pytest.raises(ConnectionError, match=r"broke off.*out of order"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", *files)
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_a_refused_finalize_deletes_the_dataset_and_shows_the_text(stub, upload, files):
    upload.answers[("PUT", "dataset/upload/mnist")] = [(400, "wrong magic number", {})]
    with pytest.raises(hanami_exceptions.BadRequestException, match="wrong magic number"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", *files)
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_a_failing_cleanup_does_not_hide_the_reason_of_the_failure(stub, upload, files, caplog):
    upload.answers[("PUT", "dataset/upload/mnist")] = [(400, "wrong magic number", {})]
    upload.answers[("DELETE", "dataset")] = [(500, "", {})]
    with pytest.raises(hanami_exceptions.BadRequestException, match="wrong magic number"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", *files)
    assert "the unfinished dataset data is still there" in caplog.text


def test_a_refused_start_sends_nothing_and_deletes_nothing(stub, upload, files):
    upload.answers[("POST", "dataset/upload/mnist")] = [(413, "too large", {})]
    with pytest.raises(hanami_exceptions.UnexpectedStatusException, match="413: too large"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", *files)
    assert [call.method for call in upload.calls] == ["POST"]


def test_a_file_that_shrinks_while_it_is_uploaded_does_not_wait_for_ever(stub, upload, files):
    def truncate(done_bytes: int, _total_bytes: int) -> None:
        with files[0].open("r+b") as file:
            file.truncate(done_bytes)

    with pytest.raises(ValueError, match="changed while it was uploaded"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", *files, progress=truncate)
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_missing_empty_and_compressed_files_are_refused_before_anything_is_sent(
    stub, upload, files, tmp_path
):
    empty, packed = tmp_path / "empty", tmp_path / "packed.gz"
    empty.touch()
    packed.write_bytes(gzip.compress(b"1,2"))
    with pytest.raises(FileNotFoundError):
        dataset.upload_csv_files(TOKEN, stub.address, "name", tmp_path / "nothing")
    with pytest.raises(ValueError, match="is empty"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", files[0], empty)
    with pytest.raises(ValueError, match="compressed with gzip; unpack it first"):
        dataset.upload_mnist_files(TOKEN, stub.address, "name", packed, files[1])
    assert upload.calls == []


def test_an_upload_works_where_an_event_loop_is_already_running(stub, upload, files):
    async def notebook_cell() -> str:
        return dataset.upload_mnist_files(TOKEN, stub.address, "name", *files)

    assert asyncio.run(notebook_cell()) == "data"
    assert upload.files["input"] == files[0].read_bytes()


def test_send_data_sends_bytes_and_tells_whether_the_server_took_them(stub, upload):
    seen = []
    data = pattern(2 * CHUNK_BYTES + 5)
    work = dataset.send_data(
        TOKEN, stub.address, "data", "input", data, progress=lambda *numbers: seen.append(numbers)
    )
    assert asyncio.run(work) is True
    assert upload.files["input"] == data
    assert seen[-1] == (len(data), len(data))
    upload.handshake_error = "Token invalid"
    assert asyncio.run(dataset.send_data(TOKEN, stub.address, "data", "x", data, False)) is False


@pytest.mark.parametrize("position", [0, 1, 127, 128, CHUNK_BYTES, 10**10])
@pytest.mark.parametrize("size_bytes", [0, 3, 127, 128, CHUNK_BYTES])
def test_the_handwritten_header_is_what_protobuf_writes(position, size_bytes):
    data = pattern(size_bytes)
    header = chunk_header(position, size_bytes)
    message = FileUpload_Message(position=position, data=data)
    assert header + data == message.SerializeToString()
    assert len(header) <= HEADER_MAX_BYTES
