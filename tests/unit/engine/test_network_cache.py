"""Loaded networks, least recently used first."""

from hanami_actors.engine.network_cache import Networks, Placement
from hanami_actors.replay.point import BEGINNING
from tests.unit.actors.fakes import FakeNetwork


class SizedNetwork(FakeNetwork):
    def __init__(self, size_bytes):
        self.used_bytes = size_bytes

    def size_bytes(self):
        return self.used_bytes


def put(networks, name, size_bytes=10, busy=()):
    placement = Placement(SizedNetwork(size_bytes), BEGINNING)
    networks.put(name, placement, frozenset(busy))
    return placement


def loaded(networks, *names):
    return [name for name in names if name in networks._placements]


def test_the_longest_unused_network_leaves_first():
    networks = Networks(25)
    put(networks, "a")
    put(networks, "b")
    assert networks.get("a") is not None
    put(networks, "c")
    assert loaded(networks, "a", "b", "c") == ["a", "c"]


def test_networks_that_compute_stay_even_when_memory_is_short():
    networks = Networks(15)
    put(networks, "a")
    put(networks, "b", busy=("a", "b"))
    assert loaded(networks, "a", "b") == ["a", "b"]
    networks.trim(frozenset({"b"}))
    assert loaded(networks, "a", "b") == ["b"]


def test_a_network_that_has_grown_makes_others_leave():
    networks = Networks(25)
    put(networks, "a")
    grown = put(networks, "b")
    grown.network.used_bytes = 20
    networks.trim(frozenset({"b"}))
    assert loaded(networks, "a", "b") == ["b"]


def test_one_network_larger_than_all_memory_can_still_compute():
    networks = Networks(5)
    put(networks, "a")
    assert loaded(networks, "a") == ["a"]


def test_a_dropped_network_is_gone_and_dropping_again_is_no_error():
    networks = Networks(25)
    put(networks, "a")
    networks.drop("a")
    networks.drop("a")
    assert networks.get("a") is None


def test_a_pinned_network_stays_until_it_is_unpinned():
    networks = Networks(15)
    put(networks, "a")
    networks.pin("a")
    put(networks, "b")
    assert loaded(networks, "a", "b") == ["a", "b"]
    networks.unpin("a")
    networks.trim(frozenset({"b"}))
    assert loaded(networks, "a", "b") == ["b"]
