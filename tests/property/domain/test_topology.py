"""The judgement of a template agrees with what the network is built from."""

from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.compute.spec import NetworkSpec
from hanami_actors.compute.topology import connect, plan_topology
from hanami_actors.domain.cluster.template import Axon, Template, TemplatePort
from hanami_actors.domain.cluster.topology import connections, unreachable_output
from hanami_actors.errors import TemplateError


@st.composite
def templates(draw):
    small = st.integers(0, 3)
    hexagons = draw(st.lists(st.tuples(small, small, small), min_size=1, max_size=9, unique=True))
    index = st.integers(0, len(hexagons) - 1)
    axons = draw(st.dictionaries(index, index, max_size=3))
    inputs = draw(st.lists(index, min_size=1, max_size=2))
    outputs = draw(st.lists(index, min_size=1, max_size=2))
    return Template(
        hexagons=tuple(hexagons),
        axons=tuple(Axon(source=source, target=axons[source]) for source in sorted(axons)),
        inputs=tuple(TemplatePort(name=f"in{i}", hexagon=at) for i, at in enumerate(inputs)),
        outputs=tuple(TemplatePort(name=f"out{i}", hexagon=at) for i, at in enumerate(outputs)),
        settings=(("max_connection_distance", draw(st.integers(1, 4))),),
    )


def spec_of(template):
    return NetworkSpec(
        hexagons=template.hexagons,
        axons=tuple((axon.source, axon.target) for axon in template.axons),
        inputs=tuple((port.name, port.hexagon, port.kind) for port in template.inputs),
        outputs=tuple((port.name, port.hexagon, port.kind) for port in template.outputs),
        settings=template.settings,
        seed=0,
    )


@given(templates())
def test_connections_and_refusals_are_the_same_in_the_domain_and_in_the_network(template):
    distance = dict(template.settings)["max_connection_distance"]
    pairs = [
        (source, target)
        for source, targets in enumerate(connections(template))
        for target in targets
    ]
    assert pairs == connect(spec_of(template), distance)
    try:
        plan_topology(spec_of(template), distance)
        refused = False
    except TemplateError:
        refused = True
    assert refused == (unreachable_output(template) is not None)
