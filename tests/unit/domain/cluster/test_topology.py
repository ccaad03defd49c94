import pytest

from hanami_actors.domain.cluster.template import Axon, Template, TemplatePort
from hanami_actors.domain.cluster.topology import (
    connections,
    forward_neighbours,
    unreachable_output,
)

ROW = ((1, 1, 1), (2, 1, 1), (3, 1, 1), (4, 1, 1))


def template(hexagons=ROW, *, distance=1, axons=(), inputs=(0,), outputs=(3,)):
    return Template(
        hexagons=hexagons,
        axons=tuple(Axon(source=source, target=target) for source, target in axons),
        inputs=tuple(TemplatePort(name=f"in{index}", hexagon=index) for index in inputs),
        outputs=tuple(TemplatePort(name=f"out{index}", hexagon=index) for index in outputs),
        settings=(("max_connection_distance", distance),),
    )


def test_seven_of_twelve_sides_are_forward_and_rows_are_shifted():
    assert set(forward_neighbours((4, 2, 3))) == {
        (5, 2, 3),
        (4, 2, 4),
        (4, 2, 2),
        (4, 1, 3),
        (4, 3, 3),
        (4, 1, 2),
        (4, 3, 4),
    }
    assert set(forward_neighbours((4, 1, 3))) == {
        (5, 1, 3),
        (4, 1, 4),
        (4, 1, 2),
        (5, 0, 3),
        (5, 2, 3),
        (5, 0, 2),
        (5, 2, 4),
    }


def test_connections_reach_as_far_as_the_distance():
    assert connections(template()) == ((1,), (2,), (3,), ())
    assert connections(template(distance=2)) == ((1, 2), (2, 3), (3,), ())
    assert connections(template(distance=99)) == ((1, 2, 3), (2, 3), (3,), ())


def test_an_empty_position_is_no_step():
    gap = ((1, 1, 1), (3, 1, 1))
    assert connections(template(gap, distance=5)) == ((), ())


def test_an_axon_replaces_the_neighbours_and_distance_counts_on_from_its_target():
    assert connections(template(axons=[(0, 2)])) == ((2,), (2,), (3,), ())
    assert connections(template(axons=[(0, 2)], distance=2)) == ((2, 3), (2, 3), (3,), ())


def test_only_the_axon_of_the_source_counts_on_the_way():
    assert connections(template(axons=[(1, 3)], distance=2))[0] == (1, 2)


def test_connections_never_go_back_in_template_order():
    backwards = ((3, 1, 1), (2, 1, 1), (1, 1, 1))
    assert connections(template(backwards, outputs=(2,))) == ((), (), ())
    assert connections(template(((2, 1, 1), (1, 1, 1), (3, 1, 1)), distance=2)) == ((2,), (2,), ())


def test_layers_in_z_connect_both_ways_but_only_in_template_order():
    stacked = ((1, 1, 1), (1, 1, 2))
    assert connections(template(stacked, outputs=(1,))) == ((1,), ())


def fault_of(bad):
    fault = unreachable_output(bad)
    assert fault is not None
    return fault


@pytest.mark.parametrize(
    "good",
    [
        template(),
        template(inputs=(0, 1), outputs=(2, 3)),
        template(((1, 1, 1), (3, 1, 1), (4, 1, 1)), axons=[(0, 1)], outputs=(2,)),
        template(inputs=(0, 3)),
        template(outputs=(1,)),
    ],
)
def test_outputs_that_an_input_reaches_are_fine(good):
    assert unreachable_output(good) is None


def test_an_output_that_nothing_reaches_is_named():
    port, sentence = fault_of(template(((1, 1, 1), (3, 1, 1)), outputs=(1,)))
    assert port.name == "out1"
    assert "'out1' at 3,1,1 cannot be reached" in sentence


def test_an_output_before_every_input_is_named():
    port, _ = fault_of(template(inputs=(2,), outputs=(3, 1)))
    assert port.name == "out1"


def test_an_input_and_an_output_that_share_one_hexagon_and_nothing_else_are_refused():
    _, sentence = fault_of(template(outputs=(0,)))
    assert "Output 'out0' and input 'in0' share the hexagon 1,1,1" in sentence
