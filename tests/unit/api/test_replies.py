import msgspec
import pytest

from hanami_actors.api.replies import ListCache
from hanami_actors.domain.base import Who
from tests.fakes import FakeGateway

ADMIN = Who(user_id="root", project_id="admin", role="admin", is_admin=True)
ANNA = Who(user_id="anna", project_id="lab")
BERT = Who(user_id="bert", project_id="lab")
BOSS = Who(user_id="boss", project_id="lab", is_project_admin=True)
ANNA_ELSEWHERE = Who(user_id="anna", project_id="office")


@pytest.fixture
def gateway():
    gateway = FakeGateway()
    gateway.add_cluster(ANNA, "annas")
    gateway.add_cluster(BERT, "berts")
    gateway.add_cluster(ANNA_ELSEWHERE, "elsewhere")
    return gateway


def names(cache, gateway, who, kind="clusters"):
    raw = cache.owned_list(kind, getattr(gateway.tables, kind), who)
    return [row[-1] for row in msgspec.json.decode(raw)["body"]]


def test_everybody_gets_the_list_of_his_own_scope_also_when_it_is_remembered(gateway):
    cache = ListCache()
    for _ in range(2):
        assert names(cache, gateway, ADMIN) == ["annas", "berts", "elsewhere"]
        assert names(cache, gateway, BOSS) == ["annas", "berts"]
        assert names(cache, gateway, ANNA) == ["annas"]
        assert names(cache, gateway, BERT) == ["berts"]
        assert names(cache, gateway, ANNA_ELSEWHERE) == ["elsewhere"]
        assert names(cache, gateway, ADMIN, "datasets") == []


def test_a_list_is_made_anew_as_soon_as_its_table_changes(gateway):
    cache = ListCache()
    before = cache.owned_list("clusters", gateway.tables.clusters, ANNA)
    gateway.add_dataset(ANNA)
    assert cache.owned_list("clusters", gateway.tables.clusters, ANNA) is before
    gateway.add_cluster(ANNA, "new")
    assert names(cache, gateway, ANNA) == ["annas", "new"]


def test_no_more_lists_are_remembered_than_allowed(gateway):
    cache = ListCache(len_max=3)
    for index in range(10):
        names(cache, gateway, Who(user_id=f"user{index}", project_id="lab"))
    assert len(cache._known) == 3
