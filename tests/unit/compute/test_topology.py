"""Neighbourhood, connections and roles of hexagons."""

import pytest

from hanami_actors.compute.topology import connect, neighbours, plan_topology
from hanami_actors.errors import TemplateError
from tests.unit.compute.builders import make_spec


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        ((4, 2, 5), {(5, 2, 5), (4, 2, 6), (4, 2, 4), (4, 1, 5), (4, 3, 5), (4, 1, 4), (4, 3, 6)}),
        ((4, 3, 5), {(5, 3, 5), (4, 3, 6), (4, 3, 4), (5, 2, 5), (5, 4, 5), (5, 2, 4), (5, 4, 6)}),
    ],
)
def test_forward_neighbours_of_even_and_odd_rows(position, expected):
    assert set(neighbours(position)) == expected


def test_a_row_of_hexagons_is_a_chain():
    assert connect(make_spec(hexagons=4), 1) == [(0, 1), (1, 2), (2, 3)]


def test_distance_counts_forward_steps():
    assert connect(make_spec(hexagons=4), 2) == [(0, 1), (0, 2), (1, 2), (1, 3), (2, 3)]


def test_empty_positions_are_no_step():
    assert connect(make_spec(hexagons=((1, 1, 1), (3, 1, 1))), 5) == []


def test_connections_never_go_back_in_template_order():
    assert connect(make_spec(hexagons=((2, 1, 1), (1, 1, 1))), 1) == []


def test_an_axon_replaces_the_neighbours_of_its_source():
    spec = make_spec(hexagons=5, axons=((0, 3),))
    assert connect(spec, 1) == [(0, 3), (1, 2), (2, 3), (3, 4)]
    assert (0, 4) in connect(spec, 2)
    assert (0, 1) not in connect(spec, 2)


def test_the_last_axon_of_a_source_counts():
    assert (0, 2) in connect(make_spec(hexagons=4, axons=((0, 3), (0, 2))), 1)


def test_roles_of_the_usual_template():
    topology = plan_topology(make_spec(), 1)
    assert topology.hidden == (False, True, False)
    assert topology.reads == ((), (), (1,))
    assert topology.links == ((0, 1),)


def test_an_output_with_successors_has_neurons_of_its_own():
    spec = make_spec(hexagons=4, outputs=(("y", 3, "plain"), ("between", 2, "plain")))
    topology = plan_topology(spec, 1)
    assert topology.hidden == (False, True, True, False)
    assert topology.reads[2] == (2,)
    assert topology.reads[3] == (2,)


def test_hexagons_that_lead_nowhere_take_no_part():
    spec = make_spec(hexagons=4, outputs=(("y", 2, "plain"),))
    topology = plan_topology(spec, 1)
    assert topology.hidden == (False, True, False, False)
    assert topology.connections == ((0, 1), (1, 2))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"hexagons": ((1, 1, 1), (9, 1, 1))}, "cannot be reached"),
        ({"hexagons": 1}, "shares hexagon 1,1,1 with an input"),
        ({"hexagons": ((2, 1, 1), (1, 1, 1))}, "order of the hexagons section"),
    ],
)
def test_an_output_without_input_is_refused_by_name(options, words):
    with pytest.raises(TemplateError, match="Output 'y'") as error:
        plan_topology(make_spec(**options), 1)
    assert words in str(error.value)
