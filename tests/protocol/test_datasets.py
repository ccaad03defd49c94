"""The REST half of datasets: progress, content and what is refused before any actor is asked."""

import pytest

from hanami_actors.domain.dataset.messages import FinalizeDataset
from hanami_actors.errors import ConflictError
from tests.protocol.api_server import ADMIN, MEMBER

UNKNOWN_UUID = "99999999-9999-4999-8999-999999999999"


@pytest.fixture
def token(api):
    return api.token()


def progress(api, token, state):
    answer = api.request("GET", "/v1/dataset/progress", params={"uuid": state.uuid}, token=token)
    return answer.status_code, answer.text


def test_progress_is_complete_only_when_every_byte_of_every_file_is_there(api, token):
    state = api.gateway.add_dataset(ADMIN)
    no = (200, f'{{"complete":false,"uuid":"{state.uuid}"}}')
    assert progress(api, token, state) == no
    api.gateway.complete_upload(state.upload_uuids[0])
    assert progress(api, token, state) == no
    api.gateway.complete_upload(state.upload_uuids[1])
    assert progress(api, token, state) == (200, no[1].replace("false", "true"))
    api.gateway.fill(state, [[1.0]])
    assert progress(api, token, state) == (200, no[1].replace("false", "true"))


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
