"""Uploads and downloads of the clients: what is sent again after a break, and what is not."""

import hashlib

import numpy as np
import pytest

from hanami_sdk import hanami_exceptions
from hanami_sdk._upload import CHUNK_BYTES
from hanami_sdk.calls.datasets import column_text

STARTED = {"uuid": "data", "uuid_input_file": "input", "uuid_label_file": "label"}
FILLED = {"uuid": "data", "name": "n", "number_of_rows": 3}
SIZE_BYTES = 20 * CHUNK_BYTES + 17


@pytest.fixture
def upload(script):
    """A server that takes uploads and knows what is missing: nothing, unless told otherwise."""
    for kind in ("mnist", "csv"):
        script.answer("POST", f"dataset/upload/{kind}", STARTED)
        script.answer("PUT", f"dataset/upload/{kind}", {"uuid": "data"})
    script.answer("GET", "dataset/progress", {"complete": True, "uuid": "data"})
    script.answer("GET", "dataset", FILLED)
    script.answer("DELETE", "dataset", {})
    return script


@pytest.fixture
def file(tmp_path):
    path = tmp_path / "data.csv"
    path.write_bytes((bytes(range(251)) * (SIZE_BYTES // 251 + 1))[:SIZE_BYTES])
    return path


def missing(*ranges, uuid="input"):
    left = sum(end - start for start, end in ranges)
    return {
        "uuid": uuid, "complete": not ranges, "size_bytes": SIZE_BYTES,
        "received_bytes": SIZE_BYTES - left, "missing": ranges,
    }  # fmt: skip


def test_an_upload_returns_the_dataset_and_announces_size_and_checksum(client, upload, file):
    seen: list[tuple[int, ...]] = []
    started: list[str] = []
    dataset = client.call(
        "datasets.upload_csv", "name", file,
        progress=lambda *numbers: seen.append(numbers), on_start=started.append,
    )  # fmt: skip
    assert (dataset.uuid, dataset.number_of_rows) == ("data", 3)
    assert upload.files["input"] == file.read_bytes()
    assert upload.call("POST", "dataset/upload/csv").json == {
        "name": "name",
        "input_data_size": SIZE_BYTES,
        "input_checksum": f"sha256:{hashlib.sha256(file.read_bytes()).hexdigest()}",
    }
    assert upload.call("PUT", "dataset/upload/csv").json == {
        "uuid": "data", "uuid_input_file": "input",
    }  # fmt: skip
    assert seen[-1] == (SIZE_BYTES, SIZE_BYTES)
    assert started == ["data"]


def test_mnist_files_are_sent_both(client, upload, file, tmp_path):
    labels = tmp_path / "labels"
    labels.write_bytes(b"labels")
    client.call("datasets.upload_mnist", "name", file, labels, checksum=False)
    assert upload.files == {"input": file.read_bytes(), "label": b"labels"}
    sent = upload.call("POST", "dataset/upload/mnist").json
    assert sent == {"name": "name", "input_data_size": SIZE_BYTES, "label_data_size": 6}
    assert upload.call("PUT", "dataset/upload/mnist").json == STARTED


def test_a_server_that_knows_no_checksums_gets_none(client, upload, file):
    upload.answers[("POST", "dataset/upload/csv")] = [
        (400, "item 'input_checksum' is not in the list of allowed keys", {}), (200, STARTED, {}),
    ]  # fmt: skip
    client.call("datasets.upload_csv", "name", file)
    bodies = [call.json for call in upload.calls if call.method == "POST" and "csv" in call.path]
    assert ["input_checksum" in body for body in bodies] == [True, False]


def test_after_a_break_only_missing_bytes_are_sent(client, upload, file):
    upload.close_after_chunks = 5
    gap = (CHUNK_BYTES * 7, CHUNK_BYTES * 9 + 5)
    tail = (SIZE_BYTES - 100, SIZE_BYTES)

    def on_call(call):
        if call.path == "dataset/upload" and upload.close_after_chunks is not None:
            upload.close_after_chunks = None
            upload.files["input"] = bytearray(SIZE_BYTES)

    upload.on_call = on_call
    upload.answers[("GET", "dataset/upload")] = [
        (200, missing(gap, tail), {}),
        (200, missing(), {}),
    ]
    seen = []
    client.call("datasets.upload_csv", "n", file, progress=lambda *numbers: seen.append(numbers))
    sent = bytearray(SIZE_BYTES)
    for start, end in (gap, tail):
        sent[start:end] = file.read_bytes()[start:end]
    is_same = upload.files["input"] == sent  # a difference of megabytes is not to be printed
    assert is_same
    assert seen[-1] == (SIZE_BYTES, SIZE_BYTES)
    assert not [call for call in upload.calls if call.method == "DELETE"]


def test_a_connection_that_stays_broken_leaves_an_upload_that_can_be_resumed(client, upload, file):
    upload.close_after_chunks = 0
    upload.answer("GET", "dataset/upload", missing((0, SIZE_BYTES)))
    with pytest.raises(
        hanami_exceptions.UploadInterruptedException, match="dataset data was interrupted"
    ) as caught:
        client.call("datasets.upload_csv", "name", file)
    assert caught.value.dataset_uuid == "data"
    assert "out of order" in caught.value.reason
    assert not [call for call in upload.calls if call.method == "DELETE"]


def test_a_server_that_keeps_nothing_ends_the_patience(client, upload, file):
    upload.close_after_chunks = 5

    def on_call(call):
        if call.path == "dataset/upload":
            upload.close_after_chunks = None

    upload.on_call = on_call
    upload.answer("GET", "dataset/upload", missing((0, 100)))
    with pytest.raises(hanami_exceptions.UploadInterruptedException, match="does not keep"):
        client.call("datasets.upload_csv", "name", file)


def test_a_file_that_shrinks_after_the_start_does_not_wait_for_ever(client, upload, file):
    upload.answers[("GET", "dataset/progress")] = [(200, {"complete": False, "uuid": "data"}, {})]
    with pytest.raises(ValueError, match="a file changed while it was uploaded"):
        client.call(
            "datasets.upload_csv", "n", file, on_start=lambda _uuid: file.write_bytes(b"short")
        )
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_a_server_that_cannot_resume_gets_everything_again_as_a_new_dataset(client, upload, file):
    upload.close_after_chunks = 5

    def on_call(call):
        if call.method == "DELETE":
            upload.close_after_chunks = None

    upload.on_call = on_call
    upload.answers[("POST", "dataset/upload/csv")] = [
        (200, STARTED, {}), (200, STARTED | {"uuid": "data2", "uuid_input_file": "input2"}, {}),
    ]  # fmt: skip
    upload.answer("GET", "dataset/upload", "no such path", status=404)
    client.call("datasets.upload_csv", "name", file)
    assert upload.files["input2"] == file.read_bytes()
    assert upload.call("DELETE", "dataset").query == "uuid=data"
    assert upload.call("PUT", "dataset/upload/csv").json["uuid"] == "data2"


def test_a_server_that_can_never_take_it_is_an_exception_with_the_reason(client, upload, file):
    upload.close_after_chunks = 5
    upload.answer("GET", "dataset/upload", "no such path", status=404)
    with pytest.raises(hanami_exceptions.ConnectionFailedException, match="out of order"):
        client.call("datasets.upload_csv", "name", file)
    assert len([call for call in upload.calls if call.method == "DELETE"]) == 3


@pytest.mark.parametrize(
    ("change", "exception"),
    [
        ({"chunk_error": "beyond the announced size"}, hanami_exceptions.BadRequestException),
        ({"handshake_error": "Tempfile not found"}, hanami_exceptions.ConflictException),
    ],
)
def test_what_the_server_refuses_is_deleted_again(client, upload, file, change, exception):
    for name, value in change.items():
        setattr(upload, name, value)
    with pytest.raises(exception, match=next(iter(change.values()))):
        client.call("datasets.upload_csv", "name", file)
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_a_refused_import_is_deleted_again_also_when_that_fails(client, upload, file, caplog):
    upload.answers[("PUT", "dataset/upload/csv")] = [(400, "row 3 is too long", {})]
    upload.answers[("DELETE", "dataset")] = [(500, "", {})]
    with pytest.raises(hanami_exceptions.BadRequestException, match="row 3 is too long"):
        client.call("datasets.upload_csv", "name", file)
    assert "dataset data is still there" in caplog.text


def waiting(*files):
    listed = [
        {"uuid": uuid, "role": role, "size_bytes": size, "received_bytes": 0, "complete": False}
        for uuid, role, size in files
    ]
    return {"complete": False, "uuid": "data", "state": "uploading", "files": listed}


def test_an_interrupted_upload_is_resumed_with_the_same_files(client, upload, file, tmp_path):
    labels = tmp_path / "labels"
    labels.write_bytes(b"labels")
    upload.answers[("GET", "dataset/progress")] = [
        (200, waiting(("label", "label", 6), ("input", "input", SIZE_BYTES)), {}),
        (200, {"complete": True, "uuid": "data"}, {}),
    ]
    upload.answers[("GET", "dataset/upload")] = [
        (200, missing((10, 20)), {}),
        (200, missing(uuid="label"), {}),
        (200, missing(), {}),
    ]
    dataset = client.call("datasets.resume_upload", "data", file, labels)
    assert dataset.uuid == "data"
    assert upload.files == {"input": bytearray(10) + file.read_bytes()[10:20]}
    assert upload.call("PUT", "dataset/upload/mnist").json == STARTED


def test_an_upload_that_expires_while_it_is_resumed_says_so(client, upload, file):
    upload.close_after_chunks = 5
    known = waiting(("input", "input", SIZE_BYTES))
    upload.answers[("GET", "dataset/progress")] = [(200, known, {})]
    upload.answers[("GET", "dataset/upload")] = [
        (200, missing((0, SIZE_BYTES)), {}),
        (404, "the upload has expired", {}),
    ]
    with pytest.raises(hanami_exceptions.NotFoundException, match="has expired"):
        client.call("datasets.resume_upload", "data", file)
    assert not [call for call in upload.calls if call.method == "DELETE"]


def test_what_is_being_imported_already_is_waited_for_and_not_sent_again(client, upload, file):
    importing = {"complete": True, "uuid": "data", "state": "importing"}
    finished = importing | {"state": "finished"}
    upload.answers[("GET", "dataset/progress")] = [(200, importing, {})] * 2 + [(200, finished, {})]
    assert client.call("datasets.resume_upload", "data", file).number_of_rows == 3
    assert [call.path for call in upload.calls].count("dataset/progress") == 3
    upload.answers[("GET", "dataset/progress")] = [
        (200, importing, {}),
        (409, "row 7 is no number", {}),
    ]
    with pytest.raises(hanami_exceptions.ConflictException, match="row 7"):
        client.call("datasets.resume_upload", "data", file)
    assert upload.files == {}
    assert {call.method for call in upload.calls if call.path != "token"} == {"GET"}


@pytest.mark.parametrize(
    ("files", "text"),
    [
        ((("input", "input", 5),), "it must be the same file"),
        ((("input", "input", SIZE_BYTES), ("label", "label", 5)), "waits for 2 files, got 1"),
        ((), "waits for 0 files, got 1"),
    ],
)
def test_other_files_do_not_resume_an_upload(client, upload, file, files, text):
    upload.answers[("GET", "dataset/progress")] = [(200, waiting(*files), {})]
    with pytest.raises(ValueError, match=text):
        client.call("datasets.resume_upload", "data", file)
    assert upload.files == {}


def test_a_download_is_written_when_all_of_it_is_there(client, script, tmp_path):
    content = b"a,b\n1,2\n" * 1000
    script.answer("GET", "dataset/download", content)
    seen = []
    path = client.call(
        "datasets.download", "d", tmp_path / "all.csv",
        columns=["a", 'b,"c"'], offset=3, rows=4, progress=lambda *numbers: seen.append(numbers),
    )  # fmt: skip
    assert path.read_bytes() == content
    assert seen[-1] == (len(content), len(content))
    assert list(tmp_path.iterdir()) == [path]
    assert script.call("GET", "dataset/download").query == (
        "uuid=d&format=csv&column=a%2C%22b%2C%22%22c%22%22%22&row_offset=3&number_of_rows=4"
    )


@pytest.mark.parametrize(
    ("name", "options", "expected"),
    [("x.npy", {}, "npy"), ("x.txt", {}, "csv"), ("x.npy", {"file_format": "csv"}, "csv")],
)
def test_the_format_comes_from_the_ending_unless_it_is_given(
    client, script, tmp_path, name, options, expected
):
    script.answer("GET", "dataset/download", b"x")
    client.call("datasets.download", "d", tmp_path / name, **options)
    assert script.call("GET", "dataset/download").query == f"uuid=d&format={expected}"


def test_a_refused_download_leaves_no_file(client, script, tmp_path):
    script.answer("GET", "dataset/download", "no such dataset", status=404)
    with pytest.raises(hanami_exceptions.NotFoundException, match="no such dataset"):
        client.call("datasets.download", "d", tmp_path / "all.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_download_that_is_cut_off_is_tried_again(client, script, tmp_path):
    script.answer("GET", "dataset/download", b"x" * 100)
    script.lost_answers["dataset/download"] = 1
    path = client.call("datasets.download", "d", tmp_path / "all.csv")
    assert path.read_bytes() == b"x" * 100
    script.lost_answers["dataset/download"] = 99
    with pytest.raises(hanami_exceptions.ConnectionFailedException):
        client.call("datasets.download", "d", tmp_path / "other.csv")
    assert list(tmp_path.iterdir()) == [path]


def test_a_directory_that_is_not_there_is_an_ordinary_error(client, script, tmp_path):
    script.answer("GET", "dataset/download", b"x")
    with pytest.raises(FileNotFoundError):
        client.call("datasets.download", "d", tmp_path / "nothing" / "all.csv")


def test_a_column_is_read_as_npy_where_the_server_has_it(client, script, tmp_path):
    rows = np.arange(6, dtype=np.uint8).reshape(3, 2)
    np.save(tmp_path / "x.npy", rows)
    description = {"a": {"column_start": 0, "column_end": 2}}
    script.answer("GET", "dataset", FILLED | {"description": description})
    script.answer("GET", "dataset/download", (tmp_path / "x.npy").read_bytes())
    values = client.call("datasets.read", "data", "a")
    assert values.dtype == np.float32
    assert values.tolist() == rows.tolist()
    assert script.call("GET", "dataset/download").query == (
        "uuid=data&format=npy&column=a&row_offset=0&number_of_rows=3"
    )


@pytest.mark.parametrize(
    ("names", "text"), [([], None), (["a"], "a"), (["a", "b c"], "a,b c"), (['"'], '""""')]
)
def test_names_of_columns_are_written_as_in_csv(names, text):
    assert column_text(names) == text


def test_a_report_has_figures_for_every_class(client, script):
    figures = {"precision": 0.5, "recall": None, "f1": None, "support": 3}
    answer = {
        "number_of_rows": 4, "accuracy": 50.0, "classes": [figures],
        "confusion_matrix": [[1, 2], [3, 4]], "number_of_rows_without_class": 1,
        "mean_absolute_error": None, "root_mean_square_error": None,
    }  # fmt: skip
    script.answer("GET", "dataset/report", answer)
    report = client.call("datasets.report", "d", "r", column="answer", reference_column="label")
    assert (report.accuracy, report.confusion_matrix) == (50.0, [[1, 2], [3, 4]])
    assert (report.classes[0].precision, report.classes[0].recall) == (0.5, None)
    assert script.call("GET", "dataset/report").query == (
        "uuid=d&reference_uuid=r&column=answer&reference_column=label"
    )


def test_a_changed_passphrase_is_used_from_then_on(client, script):
    changed = {"id": "asdf", "name": "n", "is_admin": True, "token": "new.token.text"}
    script.answer("PUT", "user/passphrase", changed)
    client.call("users.change_passphrase", "asdfasdf", "other secret")
    assert client.session.token == "new.token.text"
    assert set(script.call("PUT", "user/passphrase").json) == {"passphrase", "new_passphrase"}
    client.call("log_in")
    assert script.calls[-1].json["passphrase"] == "b3RoZXIgc2VjcmV0"


def test_a_checkpoint_goes_from_one_server_to_another_as_a_file(client, script, tmp_path):
    script.answer("GET", "checkpoint/download", b"\x00file")
    path = client.call("checkpoints.download", "k", tmp_path / "point")
    assert path.read_bytes() == b"\x00file"
    assert script.call("GET", "checkpoint/download").query == "uuid=k"
    script.answer("POST", "checkpoint/upload", {"uuid": "k2", "name": "n", "digest": "d"})
    uploaded = client.call("checkpoints.upload", path, "n")
    assert (uploaded.uuid, uploaded.digest) == ("k2", "d")
    assert script.call("POST", "checkpoint/upload").json == {"name": "n", "data": "AGZpbGU="}


def test_bytes_that_changed_on_their_way_are_sent_again(client, upload, file):
    upload.answers[("PUT", "dataset/upload/csv")] = [
        (409, "the checksum of the file is another one", {}), (200, {"uuid": "data"}, {}),
    ]  # fmt: skip
    upload.answers[("GET", "dataset/upload")] = [
        (200, missing((0, SIZE_BYTES)), {}), (200, missing(), {}),
    ]  # fmt: skip
    client.call("datasets.upload_csv", "name", file)
    assert upload.chunk_count == 2 * 21
    assert not [call for call in upload.calls if call.method == "DELETE"]


def test_another_conflict_ends_the_upload(client, upload, file):
    upload.answers[("PUT", "dataset/upload/csv")] = [(409, "the project is full", {})]
    with pytest.raises(hanami_exceptions.ConflictException, match="project is full"):
        client.call("datasets.upload_csv", "name", file)
    assert upload.call("DELETE", "dataset").query == "uuid=data"


def test_a_server_that_does_not_answer_after_a_break_leaves_the_upload_as_it_is(
    client, upload, file
):
    upload.close_after_chunks = 5
    upload.lost_answers["dataset/upload"] = 99
    with pytest.raises(hanami_exceptions.UploadInterruptedException):
        client.call("datasets.upload_csv", "name", file)
    assert not [call for call in upload.calls if call.method == "DELETE"]
