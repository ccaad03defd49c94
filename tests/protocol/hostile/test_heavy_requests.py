"""Goal: a request that would cost much is refused by its size, or kept out of everybody's way."""

import base64

from msgspec.structs import replace

from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.domain.dataset.events import DatasetFilled
from tests.protocol.api_server import ADMIN

KIB = 1024


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def create(api, template):
    body = {"name": "some_cluster", "template": template}
    return api.request("POST", "/v1/cluster", json=body, token=api.token())


def test_a_template_that_takes_long_to_read_is_refused_by_its_length(api):
    words = "seed: 1 " * 16 * KIB
    answer = create(api, encoded(f"version: 1 settings: {words}"))
    assert answer.status_code == 400
    assert "131072 are allowed" in answer.text
    assert api.gateway.commands == []


def test_a_template_is_read_once_for_transport_and_directory(api):
    text = default_template() + "\n" * 7
    assert create(api, encoded(text)).status_code == 200
    known = parse_template.cache_info().hits
    assert parse_template(text) is parse_template(text)
    assert parse_template.cache_info().hits == known + 2


def test_a_broken_template_never_reaches_the_directory_unless_its_name_is_taken(api):
    answer = create(api, encoded("version: 1 nonsense"))
    assert answer.status_code == 400
    assert api.gateway.commands == []
    # Then the name is what is wrong, and the directory says so.
    api.gateway.add_cluster(ADMIN)
    create(api, encoded("version: 1 nonsense"))
    assert len(api.gateway.commands) == 1


def test_more_values_than_an_answer_may_hold_are_refused(api):
    state = api.gateway.add_dataset(ADMIN)
    # Announced by the columns alone; nothing of that size is in memory here.
    api.gateway.fill(state, [[0.5]] * 3)
    content = api.gateway.tables.datasets[state.uuid].state.content
    wide = replace(
        content,
        row_count=10_000,
        column_count=1001,
        files=(replace(content.files[0], row_count=10_000, width=1001),),
        columns=(replace(content.columns[0], end=1001),),
    )
    other = api.gateway.add_dataset(ADMIN)
    api.gateway.record(f"dataset/{other.uuid}", DatasetFilled(content=wide))
    query = f"uuid={other.uuid}&column_name=picture&row_offset=0&number_of_rows="
    answer = api.request("GET", f"/v1/dataset/content?{query}10000", token=api.token())
    assert answer.status_code == 400
    assert "at most 9990 rows" in answer.text
    assert "dataset/download" in answer.text
    assert api.request("GET", f"/v1/dataset/content?{query}9", token=api.token()).status_code == 200
