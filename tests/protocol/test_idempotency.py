"""A repeated POST with the same ``Idempotency-Key`` does nothing twice and gets the first answer."""

import base64
import hashlib
import json
import threading
import time

import pytest

from hanami_actors.api.endpoints.all import ENDPOINTS
from hanami_actors.domain.base import Stamp, Who
from hanami_actors.domain.idempotency.events import KeyBegun
from hanami_actors.eventlog.journal import Journal
from hanami_actors.eventlog.port import Append, Batch
from hanami_actors.types import StreamId, StreamVersion, TimestampUs
from tests.journey import TEMPLATE, Journey, write_idx
from tests.server import ADMIN_ID

HEADER = "Idempotency-Key"


class Caller:
    """Posts with a key; remembers token and server."""

    def __init__(self, server):
        self.server = server
        self.token = server.token()

    def post(self, path, key, **fields):
        headers = {HEADER: key} if key else {}
        return self.server.request(
            "POST", f"/v1/{path}", token=self.token, json=fields, headers=headers
        )

    def list(self, path):
        return self.server.request("GET", f"/v1/{path}/all", token=self.token).json()["body"]


@pytest.fixture(scope="module")
def caller(warm_server):
    return Caller(warm_server)


def template():
    return base64.b64encode(TEMPLATE.format(seed=7).encode()).decode()


def test_a_repeated_creation_gets_the_first_answer(caller):
    first = caller.post("cluster", "one", name="idem-one", template=template())
    again = caller.post("cluster", "one", name="idem-one", template=template())
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content
    assert again.headers["Content-Type"] == first.headers["Content-Type"]
    assert again.headers["Idempotency-Replayed"] == "true"
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["X-Request-Id"] != first.headers["X-Request-Id"]
    assert [row[-1] for row in caller.list("cluster")].count("idem-one") == 1


def test_without_a_key_a_repeated_creation_is_a_conflict(caller):
    assert caller.post("cluster", None, name="idem-two").status_code == 200
    assert caller.post("cluster", None, name="idem-two").status_code == 409


def test_another_body_with_the_same_key_is_refused(caller):
    assert caller.post("cluster", "three", name="idem-three").status_code == 200
    refused = caller.post("cluster", "three", name="idem-other")
    assert refused.status_code == 409
    assert "was used for another request" in refused.text
    assert "idem-other" not in {row[-1] for row in caller.list("cluster")}


def test_the_same_key_is_another_one_at_another_endpoint(caller):
    answers = [
        caller.post("cluster", "four", name="idem-four"),
        caller.post("dataset/upload/csv", "four", name="idem-four", input_data_size=5),
    ]
    assert [answer.status_code for answer in answers] == [200, 200]


def test_a_refusal_is_repeated_too(caller):
    assert caller.post("cluster", None, name="idem-five").status_code == 200
    first = caller.post("cluster", "five", name="idem-five")
    uuid = next(row[1] for row in caller.list("cluster") if row[-1] == "idem-five")
    caller.server.request("DELETE", f"/v1/cluster?uuid={uuid}", token=caller.token)
    again = caller.post("cluster", "five", name="idem-five")
    assert first.status_code == again.status_code == 409
    assert again.text == first.text


@pytest.mark.parametrize("key", ["", "with space", "x" * 256, "ä"])
def test_a_key_that_is_none_is_refused(caller, key):
    headers = {HEADER: key.encode()}
    answer = caller.server.request(
        "POST", "/v1/cluster", token=caller.token, json={"name": "idem-x"}, headers=headers
    )
    assert answer.status_code == 400
    assert HEADER in answer.text


def test_a_call_that_is_not_valid_is_not_remembered(caller):
    assert caller.post("cluster", "six", nam="idem-six").status_code == 400
    assert caller.post("cluster", "six", name="idem-six").status_code == 200


def test_tokens_are_never_kept(caller):
    body = {"id": ADMIN_ID, "password": "asdfasdf"}
    first = caller.post("token", "seven", **body)
    second = caller.post("token", "seven", id=ADMIN_ID, password="wrong-one")
    assert (first.status_code, second.status_code) == (200, 401)
    kept = caller.server.data_dir / "idempotency"
    stored = b"".join(path.read_bytes() for path in kept.rglob("*.mdb"))
    assert first.json()["token"].encode() not in stored


def test_every_post_that_creates_something_is_kept_and_no_other():
    rows = {row.name: row for row in ENDPOINTS if row.method == "POST"}
    kept = {row.name for row in ENDPOINTS if row.first_answer is not None}
    assert kept <= set(rows)
    for name in set(rows) - kept:
        replies = (rows[name].reply, *rows[name].other_replies)
        fields = {field for reply in replies for field in reply.__struct_fields__}
        assert "token" in fields, name


def test_the_same_call_twice_at_once_is_carried_out_once(caller):
    answers = []

    def post():
        answers.append(caller.post("cluster", "eight", name="idem-eight"))

    threads = [threading.Thread(target=post) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    statuses = {answer.status_code for answer in answers}
    assert statuses <= {200, 409}
    assert len({answer.content for answer in answers if answer.status_code == 200}) == 1
    assert all("still being carried out" in a.text for a in answers if a.status_code == 409)
    assert [row[-1] for row in caller.list("cluster")].count("idem-eight") == 1


def test_answers_survive_a_kill(server):
    caller = Caller(server)
    first = caller.post("project", "one", id="laboratory", name="Laboratory")
    server.kill()
    server.start(wait_until_ready=False)
    again = caller.post("project", "one", id="laboratory", name="Laboratory")
    assert first.status_code == again.status_code == 200
    assert again.content == first.content


class TestLostAnswers:
    """The server dies between what a call does and its answer."""

    @pytest.fixture
    def prepared(self, server, tmp_path):
        journey = Journey(server)
        dataset = journey.upload(*write_idx(tmp_path, 30))
        cluster = journey.create_cluster("prepared")
        journey.finished(journey.train(cluster, dataset), cluster)
        return Caller(server), dataset, cluster

    def calls(self, dataset, cluster):
        binding = {"dataset_uuid": dataset}
        picture = {**binding, "dataset_column": "picture", "hexagon_name": "picture"}
        label = {**binding, "dataset_column": "label", "hexagon_name": "label"}
        answer = {"dataset_column": "answer", "hexagon_name": "label"}
        task = {"cluster_uuid": cluster, "inputs": [picture]}
        return [
            ("user", {"id": "bobby", "name": "Bobby", "password": "bobsbobs", "is_admin": False}),
            ("project", {"id": "shops", "name": "Shops"}),
            ("cluster", {"name": "fresh", "template": template()}),
            ("cluster/copy", {"name": "copy", "cluster_uuid": cluster}),
            ("cluster/save", {"name": "saved", "cluster_uuid": cluster}),
            ("dataset/upload/csv", {"name": "table", "input_data_size": 9}),
            (
                "dataset/upload/mnist",
                {"name": "pictures", "input_data_size": 9, "label_data_size": 9},
            ),
            ("task/train", {**task, "name": "train", "outputs": [label]}),
            ("task/request", {**task, "name": "question", "results": [answer]}),
        ]

    def test_every_answer_is_made_again_from_what_the_call_did(self, prepared):
        caller, dataset, cluster = prepared
        server = caller.server
        calls = self.calls(dataset, cluster)
        firsts = [(path, fields, caller.post(path, None, **fields)) for path, fields in calls]
        saved = next(first.json()["uuid"] for path, _, first in firsts if path == "cluster/save")
        load = {"cluster_uuid": cluster, "checkpoint_uuid": saved}
        firsts.append(("cluster/load", load, caller.post("cluster/load", None, **load)))
        file = server.request("GET", f"/v1/checkpoint/download?uuid={saved}", token=caller.token)
        upload = {"name": "uploaded", "data": base64.b64encode(file.content).decode()}
        firsts.append(
            ("checkpoint/upload", upload, caller.post("checkpoint/upload", None, **upload))
        )
        assert [first.text for _, _, first in firsts if first.status_code != 200] == []
        server.terminate()
        begun = [begun_event(server.data_dir, *each) for each in firsts]
        journal = Journal(
            server.data_dir / "idempotency", retention_us=10**15, size_max_bytes=2**30
        )
        stamp = Stamp(now_us=now_us(), who=Who(user_id=ADMIN_ID, project_id="admin"))
        append = Append(
            stream=StreamId(f"idempotency/{ADMIN_ID}"),
            expected_version=StreamVersion(0),
            events=tuple(begun),
        )
        journal.append([Batch(appends=(append,), stamp=stamp)])
        journal.close()
        server.start()
        count = len(caller.list("cluster"))
        for path, fields, first in firsts:
            again = caller.post(path, f"key-{path}", **fields)
            assert again.status_code == 200, again.text
            assert again.json() == first.json(), path
        assert len(caller.list("cluster")) == count
        # Now they are kept as if they had been sent.
        again = caller.post("project", "key-project", id="shops", name="Shops")
        assert again.headers["Idempotency-Replayed"] == "true"

    def test_a_call_that_did_nothing_before_the_crash_is_carried_out(self, server):
        caller = Caller(server)
        server.terminate()
        fields = {"id": "laboratory", "name": "Laboratory"}
        event = begun_event(server.data_dir, "project", fields, None)
        journal = Journal(
            server.data_dir / "idempotency", retention_us=10**15, size_max_bytes=2**30
        )
        append = Append(
            stream=StreamId(f"idempotency/{ADMIN_ID}"),
            expected_version=StreamVersion(0),
            events=(event,),
        )
        stamp = Stamp(now_us=now_us(), who=Who(user_id=ADMIN_ID, project_id="admin"))
        journal.append([Batch(appends=(append,), stamp=stamp)])
        journal.close()
        server.start(wait_until_ready=False)
        answer = caller.post("project", "key-project", **fields)
        assert answer.status_code == 200
        assert caller.post("project", "key-project", **fields).content == answer.content
        assert [row[1] for row in caller.list("project")] == ["laboratory"]


def begun_event(data_dir, path, fields, first):
    """Return the note that a server makes before it carries out a call with a key."""
    row = next(row for row in ENDPOINTS if row.method == "POST" and row.path == path)
    secret = hashlib.blake2b((data_dir / "token.key").read_bytes(), person=b"idempotency").digest()
    hasher = hashlib.blake2b(key=secret, digest_size=32)
    body = first.request.content if first is not None else json_body(fields)
    for part in (b"admin", b"", body):
        hasher.update(len(part).to_bytes(8, "big") + part)
    return KeyBegun(
        endpoint=row.name,
        key=f"key-{path}",
        body_hash=hasher.hexdigest(),
        request_id=first.headers["X-Request-Id"] if first is not None else "none",
        log_position=0,
    )


def json_body(fields):
    return json.dumps(fields, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def now_us():
    return TimestampUs(time.time_ns() // 1000)
