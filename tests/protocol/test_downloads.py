"""Files out of the transport: whole, cut, slow, refused; and reports."""

from urllib.parse import quote, urlencode

import pytest

from hanami_actors.datasets.export import RowRange
from hanami_actors.errors import BadRequestError, BlobMissingError, BusyError
from tests.fake_export import FakeExport
from tests.protocol.api_server import ADMIN, MEMBER
from tests.protocol.raw_clients import RawHttp

MIB = 1024 * 1024
TIMEOUT_S = 20.0


@pytest.fixture
def token(api):
    return api.token()


@pytest.fixture
def filled(api):
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[1.0]])
    return state


def download(api, token, state, **query):
    # Blanks as %20: a plus sign stays one.
    params = urlencode({"uuid": state.uuid, **query}, quote_via=quote)
    return api.request("GET", f"/v1/dataset/download?{params}", token=token)


def raw_download(api, token, state):
    client = RawHttp(api.port)
    return client.request("GET", f"/v1/dataset/download?uuid={state.uuid}", X_Auth_Token=token)


def read_to_end(client):
    """Everything until the server closes the connection."""
    return client._file.read()


def test_a_file_comes_in_blocks_with_its_name_and_type(api, token, filled):
    api.gateway.export = FakeExport([b"a,b\n", b"1,2\n" * 100_000, b"3,4\n"])
    answer = download(api, token, filled)
    assert answer.content == b"a,b\n" + b"1,2\n" * 100_000 + b"3,4\n"
    assert answer.headers["Content-Type"] == "text/csv"
    assert answer.headers["Content-Disposition"] == 'attachment; filename="some_dataset.csv"'
    assert answer.headers["Transfer-Encoding"] == "chunked"
    assert answer.headers["X-Request-Id"]


def test_a_known_size_is_sent_ahead(api, token, filled):
    api.gateway.export = FakeExport([b"12", b"345"], "application/octet-stream", "npy", 5)
    answer = download(api, token, filled, format="npy")
    assert (answer.headers["Content-Length"], answer.content) == ("5", b"12345")
    # The connection goes on to be used.
    assert download(api, token, filled, format="npy").content == b"12345"


def test_columns_and_rows_reach_the_export_as_they_are_meant(api, token, filled):
    download(api, token, filled, format="npy")
    assert api.gateway.export_arguments[1:] == ("npy", (), RowRange())
    download(api, token, filled, column='a,"b, c","say ""x"""', row_offset=5, number_of_rows=3)
    assert api.gateway.export_arguments[1:] == (
        "csv",
        ("a", "b, c", 'say "x"'),
        RowRange(first=5, last=8),
    )


@pytest.mark.parametrize("column", ["a,,b", ",", 'a"b","', "a\nb"])
def test_a_list_of_names_that_is_none_is_400(api, token, filled, column):
    answer = download(api, token, filled, column=column)
    assert (answer.status_code, "'column'" in answer.text) == (400, True)


def test_an_error_before_the_first_byte_is_an_ordinary_answer(api, token, filled):
    for error, status in ((BadRequestError("too far"), 400), (BusyError("later"), 503)):
        api.gateway.export = FakeExport([error])
        answer = download(api, token, filled)
        assert (answer.status_code, answer.text) == (status, error.message)


@pytest.mark.parametrize("size_bytes", [None, 100])
def test_a_file_that_breaks_off_is_cut_and_never_looks_whole(api, token, filled, size_bytes):
    api.gateway.export = FakeExport([b"begin", BlobMissingError("gone")], size_bytes=size_bytes)
    with raw_download(api, token, filled) as client:
        data = read_to_end(client)
    assert data.startswith(b"HTTP/1.1 200")
    assert b"begin" in data
    assert not data.endswith(b"0\r\n\r\n")


def test_a_mistake_in_the_middle_of_a_file_cuts_it_too(api, token, filled, caplog):
    api.gateway.export = FakeExport([b"begin", ZeroDivisionError("a mistake")], size_bytes=None)
    with raw_download(api, token, filled) as client:
        data = read_to_end(client)
    assert b"begin" in data
    assert not data.endswith(b"0\r\n\r\n")
    assert "a mistake" in caplog.text


def test_a_client_that_reads_nothing_is_cut_off_and_takes_no_more_blocks(make_api):
    api = make_api(client_stall_timeout_s=0.2)
    state = api.gateway.add_dataset(ADMIN)
    api.gateway.fill(state, [[1.0]])
    api.gateway.export = FakeExport([b"x" * MIB] * 1000)
    with raw_download(api, api.token(), state) as client:
        assert api.gateway.export.ended.wait(TIMEOUT_S)
        # What the system had taken can still be read; the end of the file never comes.
        assert not read_to_end(client).endswith(b"0\r\n\r\n")
    assert api.gateway.export.taken_count < 100


def test_a_client_that_leaves_in_the_middle_ends_the_download(api, token, filled):
    api.gateway.export = FakeExport([b"x" * MIB] * 1000)
    with raw_download(api, token, filled) as client:
        client._file.read(MIB)
    assert api.gateway.export.ended.wait(TIMEOUT_S)
    assert api.gateway.export.taken_count < 1000
    api.gateway.export = FakeExport()
    assert download(api, token, filled).status_code == 200


def test_an_old_client_gets_the_file_without_chunks_and_the_end_by_closing(api, token, filled):
    api.gateway.export = FakeExport([b"a,b\n", b"1,2\n"])
    with RawHttp(api.port) as client:
        path = f"/v1/dataset/download?uuid={filled.uuid}"
        client.send(f"GET {path} HTTP/1.0\r\nX-Auth-Token: {token}\r\n\r\n".encode())
        head, _, body = read_to_end(client).partition(b"\r\n\r\n")
    assert (b" 200 " in head.splitlines()[0], body) == (True, b"a,b\n1,2\n")
    assert b"chunked" not in head


def test_downloads_need_a_filled_dataset_that_the_caller_sees(api, token, filled):
    waiting = api.gateway.add_dataset(ADMIN)
    assert download(api, token, waiting).status_code == 409
    assert download(api, api.token(MEMBER), filled).status_code == 404


def test_a_report_lists_every_figure(api, token, filled):
    params = {"uuid": filled.uuid, "reference_uuid": filled.uuid}
    answer = api.request("GET", "/v1/dataset/report", params=params, token=token)
    assert answer.json() == {
        "accuracy": 100.0,
        "classes": [
            {"f1": 1.0, "precision": 1.0, "recall": 1.0, "support": 1},
            {"f1": None, "precision": None, "recall": None, "support": 0},
        ],
        "confusion_matrix": [[1, 0], [0, 0]],
        "mean_absolute_error": None,
        "number_of_rows": 1,
        "number_of_rows_without_class": 0,
        "root_mean_square_error": None,
    }


def test_a_report_needs_two_filled_datasets_that_the_caller_sees(api, token, filled):
    waiting = api.gateway.add_dataset(ADMIN)

    def status(uuid, reference_uuid, who=ADMIN):
        params = {"uuid": uuid, "reference_uuid": reference_uuid}
        path = "/v1/dataset/report"
        return api.request("GET", path, params=params, token=api.token(who)).status_code

    assert status(filled.uuid, waiting.uuid) == 409
    assert status(waiting.uuid, filled.uuid) == 409
    assert status(filled.uuid, filled.uuid, MEMBER) == 404
