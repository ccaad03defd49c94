"""The REST half of datasets: progress, content and what is refused before any actor is asked."""

import json

import pytest

from hanami_actors.actors.import_progress import ImportProgress
from hanami_actors.domain.dataset.events import DatasetCreated
from hanami_actors.domain.dataset.messages import FinalizeDataset
from hanami_actors.domain.upload.events import UploadRangeStored
from hanami_actors.domain.upload.messages import AppendChunk
from hanami_actors.errors import ConflictError
from tests.protocol.api_server import ADMIN, MEMBER, OTHER

UNKNOWN_UUID = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def token(api):
    return api.token()


def progress(api, token, state):
    answer = api.request("GET", "/v1/dataset/progress", params={"uuid": state.uuid}, token=token)
    return answer.status_code, answer.text


def test_progress_is_complete_only_when_every_byte_of_every_file_is_there(api, token):
    state = api.gateway.add_dataset(ADMIN)

    def seen():
        status, text = progress(api, token, state)
        reply = json.loads(text)
        assert (status, reply["uuid"]) == (200, state.uuid)
        return reply["complete"], reply["state"], [f["received_bytes"] for f in reply["files"]]

    assert seen() == (False, "uploading", [0, 0])
    api.gateway.complete_upload(state.upload_uuids[0])
    assert seen() == (False, "uploading", [100, 0])
    api.gateway.complete_upload(state.upload_uuids[1])
    assert seen() == (True, "uploaded", [100, 100])
    api.gateway.fill(state, [[1.0]])
    assert seen() == (True, "finished", [])


def test_progress_shows_bytes_of_every_file_and_of_the_import(api, token):
    state = api.gateway.add_dataset(ADMIN)
    api.gateway._append(state.upload_uuids[0], AppendChunk(position=10, data=b"x" * 30))
    api.gateway.complete_upload(state.upload_uuids[1])
    reply = json.loads(progress(api, token, state)[1])
    assert reply["files"] == [
        {
            "complete": False,
            "received_bytes": 30,
            "role": "input",
            "size_bytes": 100,
            "uuid": state.upload_uuids[0],
        },
        {
            "complete": True,
            "received_bytes": 100,
            "role": "label",
            "size_bytes": 100,
            "uuid": state.upload_uuids[1],
        },
    ]
    assert reply["importing"] is None
    api.gateway.imports[state.uuid] = ImportProgress(read_bytes=7, size_bytes=200)
    reply = json.loads(progress(api, token, state)[1])
    assert (reply["state"], reply["importing"]) == (
        "importing",
        {"read_bytes": 7, "size_bytes": 200},
    )


def test_the_result_of_a_task_waits_for_its_task(api, token):
    uuid = api.gateway.entropy.uuid()
    created = DatasetCreated(
        uuid=uuid, name="answers", kind="result", owner_id=ADMIN.user_id, project_id="admin"
    )
    api.gateway.record(f"dataset/{uuid}", created)
    reply = api.request("GET", "/v1/dataset/progress", params={"uuid": uuid}, token=token).json()
    assert (reply["complete"], reply["state"], reply["files"]) == (False, "waiting", [])


def upload(api, token, uuid):
    return api.request("GET", "/v1/dataset/upload", params={"uuid": uuid}, token=token)


def test_an_upload_tells_which_bytes_are_missing(api, token):
    state = api.gateway.add_dataset(ADMIN)
    uuid = state.upload_uuids[0]
    for position in (10, 50):
        api.gateway._append(uuid, AppendChunk(position=position, data=b"x" * 10))
    assert upload(api, token, uuid).json() == {
        "checksum": "",
        "complete": False,
        "dataset_uuid": state.uuid,
        "missing": [[0, 10], [20, 50], [60, 100]],
        "number_of_missing_ranges": 3,
        "received_bytes": 20,
        "role": "input",
        "size_bytes": 100,
        "uuid": uuid,
    }
    api.gateway.complete_upload(uuid)
    reply = upload(api, token, uuid).json()
    assert (reply["complete"], reply["missing"], reply["received_bytes"]) == (True, [], 100)


def test_of_very_many_missing_ranges_the_first_are_listed_and_all_are_counted(api, token):
    state = api.gateway.add_dataset(ADMIN, size_bytes=5000)
    uuid = state.upload_uuids[0]
    stored = UploadRangeStored(ranges=tuple((at, at + 1) for at in range(0, 5000, 2)))
    api.gateway.record(f"upload/{uuid}", stored)
    reply = upload(api, token, uuid).json()
    assert (len(reply["missing"]), reply["number_of_missing_ranges"]) == (1000, 2500)
    assert reply["missing"][:2] == [[1, 2], [3, 4]]


def test_an_upload_is_only_known_to_who_announced_it(api, token):
    state = api.gateway.add_dataset(MEMBER)
    uuid = state.upload_uuids[0]
    assert upload(api, api.token(MEMBER), uuid).status_code == 200
    assert upload(api, api.token(OTHER), uuid).status_code == 404
    assert upload(api, token, uuid).status_code == 404
    api.gateway._close_uploads(state, "expired")
    assert upload(api, api.token(MEMBER), uuid).status_code == 404


def test_checksums_are_announced_in_any_spelling_and_kept_in_one(api, token):
    body = {
        "name": "digits",
        "input_data_size": 1,
        "label_data_size": 1,
        "input_checksum": "AB" * 32,
        "label_checksum": "Blake2b:" + "cd" * 32,
    }
    reply = api.request("POST", "/v1/mnist/dataset", json=body, token=token).json()
    uuids = (reply["uuid_input_file"], reply["uuid_label_file"])
    kept = [upload(api, token, uuid).json()["checksum"] for uuid in uuids]
    assert kept == ["sha256:" + "ab" * 32, "blake2b:" + "cd" * 32]
    body = {"name": "table", "input_data_size": 1, "input_checksum": "md5:" + "0" * 32}
    answer = api.request("POST", "/v1/csv/dataset", json=body, token=token)
    assert (answer.status_code, "input_checksum" in answer.text) == (400, True)


def test_progress_of_a_failed_dataset_is_409_with_the_reason(api, token):
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fail(state, "label 12 in row 3")
    status, text = progress(api, token, state)
    assert (status, "label 12 in row 3" in text) == (409, True)


def test_progress_of_an_upload_that_was_closed_is_409_and_not_an_endless_wait(api, token):
    state = api.gateway.add_dataset(ADMIN)
    api.gateway._close_uploads(state, "expired")
    assert progress(api, token, state)[0] == 409


def test_a_dataset_shows_zeros_until_it_is_filled(api, token):
    state = api.gateway.add_dataset(ADMIN)
    path = f"/v1/dataset?uuid={state.uuid}"
    reply = api.request("GET", path, token=token).json()
    assert (reply["number_of_rows"], reply["number_of_columns"], reply["description"]) == (0, 0, {})
    api.gateway.fill(state, [[1.0, 2.0]] * 3)
    reply = api.request("GET", path, token=token).json()
    assert (reply["number_of_rows"], reply["number_of_columns"]) == (3, 2)
    assert reply["description"] == {"picture": {"column_end": 2, "column_start": 0}}


def test_finalize_asks_only_with_the_files_of_the_dataset(api, token):
    state, other = api.gateway.add_dataset(ADMIN), api.gateway.add_dataset(ADMIN)
    good = {
        "uuid": state.uuid,
        "uuid_input_file": state.upload_uuids[0],
        "uuid_label_file": state.upload_uuids[1],
    }
    for change in (
        {"uuid": UNKNOWN_UUID},
        {"uuid_input_file": UNKNOWN_UUID},
        {"uuid_label_file": other.upload_uuids[1]},
    ):
        answer = api.request("PUT", "/v1/mnist/dataset", json=good | change, token=token)
        assert answer.status_code == 404
        assert next(iter(change.values())) in answer.text
    assert api.gateway.commands == []
    assert api.request("PUT", "/v1/mnist/dataset", json=good, token=token).status_code == 200


def test_the_reason_why_a_finalize_is_refused_reaches_the_client(api, token):
    state = api.gateway.add_dataset(ADMIN, "csv")
    api.gateway.answers[FinalizeDataset] = ConflictError("missing are bytes 0..99")
    body = {"uuid": state.uuid, "uuid_input_file": state.upload_uuids[0]}
    answer = api.request("PUT", "/v1/csv/dataset", json=body, token=token)
    assert (answer.status_code, answer.text) == (409, "missing are bytes 0..99")


def content(api, token, state, **query):
    params = {"uuid": state.uuid, "column_name": "picture"} | query
    return api.request("GET", "/v1/dataset/content", params=params, token=token)


def test_content_has_one_list_of_floats_per_row(api, token):
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[0.0, 255.0], [1.5, 0.1], [3.0, 4.0]])
    answer = content(api, token, state, row_offset=1, number_of_rows=2)
    assert answer.content == b'{"data":[[1.5,0.1],[3.0,4.0]]}'


def test_content_larger_than_a_slice_comes_whole(api, token):
    rows = [[float(row)] * 9000 for row in range(20)]
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, rows)
    answer = content(api, token, state, row_offset=0, number_of_rows=20)
    assert answer.json() == {"data": rows}


def test_content_without_a_number_of_rows_is_what_there_is_up_to_a_hundred(api, token):
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[float(row)] for row in range(130)])
    for query, expected in (({}, range(100)), ({"row_offset": 120}, range(120, 130))):
        shown = content(api, token, state, **query).json()["data"]
        assert shown == [[float(row)] for row in expected]
    assert content(api, token, state, row_offset=130).json() == {"data": []}
    answer = content(api, token, state, row_offset=131)
    assert (answer.status_code, "130 rows" in answer.text) == (400, True)


def test_content_that_is_not_there_is_refused_with_what_is(api, token):
    state = api.gateway.add_dataset(ADMIN)
    answer = content(api, token, state, row_offset=0, number_of_rows=1)
    assert (answer.status_code, "no content yet" in answer.text) == (409, True)
    api.gateway.fill(state, [[1.0]] * 5)
    answer = content(api, token, state, row_offset=4, number_of_rows=2)
    assert (answer.status_code, "5 rows" in answer.text) == (400, True)
    answer = content(api, token, state, column_name="label", row_offset=0, number_of_rows=1)
    assert (answer.status_code, "'picture'" in answer.text) == (404, True)


def test_check_looks_for_the_reference_first_and_needs_both_filled(api, token):
    state, empty = api.gateway.add_dataset(ADMIN), api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[1.0]])

    def check(uuid, reference_uuid):
        params = {"uuid": uuid, "reference_uuid": reference_uuid}
        return api.request("GET", "/v1/dataset/check", params=params, token=token)

    other = UNKNOWN_UUID.replace("9", "8")
    assert UNKNOWN_UUID in check(other, UNKNOWN_UUID).text
    assert check(state.uuid, empty.uuid).status_code == 409
    assert check(empty.uuid, state.uuid).status_code == 409
    assert check(state.uuid, state.uuid).content == b'{"accuracy":92.0199966430664}'


def test_a_member_does_not_reach_the_dataset_of_another_project(api):
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[1.0]])
    answer = content(api, api.token(MEMBER), state, row_offset=0, number_of_rows=1)
    assert answer.status_code == 404
