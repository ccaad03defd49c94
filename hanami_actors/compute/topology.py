"""From positions and axons to links: which sources reach which hexagon through sections.

Source: network.md part 1, neighbourhood and roles.
"""

from typing import NamedTuple

from hanami_actors.compute.spec import NetworkSpec
from hanami_actors.errors import TemplateError

__all__ = ["Link", "Topology", "connect", "neighbours", "plan_topology"]

Position = tuple[int, int, int]


class Link(NamedTuple):
    """All sections from one group of sources into one hexagon."""

    group: int
    """Inputs come first, then hexagons with successors."""

    target: int
    """Hexagon."""


class Topology(NamedTuple):
    """Roles of all hexagons."""

    connections: tuple[tuple[int, int], ...]
    """(source hexagon, target hexagon) that lie on a way from an input to an output."""

    groups: tuple[int, ...]
    """Hexagon of each group: first one per input, then the hexagons whose neurons are sources."""

    links: tuple[Link, ...]
    """Sorted by target, then by group."""

    hidden: tuple[bool, ...]
    """Per hexagon: it has neurons."""

    reads: tuple[tuple[int, ...], ...]
    """Per hexagon with outputs: the hexagons whose neurons they read."""


def neighbours(position: Position) -> tuple[Position, ...]:
    """Return the seven positions a signal can go to from ``position``."""
    x, y, z = position
    s = y & 1
    return (
        (x + 1, y, z),
        (x, y, z + 1),
        (x, y, z - 1),
        (x + s, y - 1, z),
        (x + s, y + 1, z),
        (x + s, y - 1, z - 1),
        (x + s, y + 1, z + 1),
    )


def connect(spec: NetworkSpec, distance_max: int) -> list[tuple[int, int]]:
    """Return all connections (source, target) that go forward in template order, sorted.

    Parameters
    ----------
    spec : NetworkSpec
    distance_max : int
        Largest number of forward steps. With an axon its target is the first step.
    """
    index = {position: number for number, position in enumerate(spec.hexagons)}
    axons = dict(spec.axons)
    steps = [[index[p] for p in neighbours(position) if p in index] for position in spec.hexagons]
    connections = set()
    for source in range(len(spec.hexagons)):
        reached = {axons[source]} if source in axons else set(steps[source])
        front = set(reached)
        for _ in range(distance_max - 1):
            front = {q for p in front for q in steps[p]} - reached
            if not front:
                break
            reached |= front
        connections |= {(source, target) for target in reached if target > source}
    return sorted(connections)


def _reach(starts: set[int], edges: list[tuple[int, int]]) -> set[int]:
    """Return everything that can be reached from ``starts``, themselves included."""
    reached = set(starts)
    for source, target in edges:  # sorted by source, and edges only go up: one pass is enough
        if source in reached:
            reached.add(target)
    return reached


def _check_outputs(spec: NetworkSpec, fed: set[int]) -> None:
    """Refuse a template with an output that no input reaches."""
    with_inputs = {hexagon for _, hexagon, _ in spec.inputs}
    for name, hexagon, _ in spec.outputs:
        if hexagon in fed:
            continue
        place = ",".join(str(x) for x in spec.hexagons[hexagon])
        if hexagon in with_inputs:
            raise TemplateError(
                f"Output '{name}' shares hexagon {place} with an input and no other hexagon "
                "leads to it; attach it to a hexagon behind the input."
            )
        raise TemplateError(
            f"Output '{name}' at hexagon {place} cannot be reached from any input; connections go "
            "forward only and in the order of the hexagons section. Add hexagons between, an axon, "
            "or a larger max_connection_distance."
        )


def plan_topology(spec: NetworkSpec, distance_max: int) -> Topology:
    """Work out the roles of all hexagons.

    Hexagons that no input reaches, or that reach no output, take no part.

    Parameters
    ----------
    spec : NetworkSpec
    distance_max : int

    Raises
    ------
    TemplateError
        If an output cannot be reached from any input.
    """
    every = connect(spec, distance_max)
    sources = _reach({hexagon for _, hexagon, _ in spec.inputs}, every)
    fed = {target for source, target in every if source in sources}
    _check_outputs(spec, fed)
    outputs = {hexagon for _, hexagon, _ in spec.outputs}
    backward = sorted((-target, -source) for source, target in every)
    useful = {-h for h in _reach({-h for h in outputs}, backward)}
    edges = [(s, t) for s, t in every if s in sources and t in useful]
    with_successors = {source for source, _ in edges}
    hidden = [h in fed and h in useful and (h not in outputs or h in with_successors)
              for h in range(len(spec.hexagons))]  # fmt: skip
    groups = [hexagon for _, hexagon, _ in spec.inputs]
    links = []
    for source, target in edges:
        links += [Link(q, target) for q, (_, h, _) in enumerate(spec.inputs) if h == source]
        if hidden[source] and hidden[target]:
            if source not in groups[len(spec.inputs) :]:
                groups.append(source)
            links.append(Link(groups.index(source, len(spec.inputs)), target))
    reads: list[tuple[int, ...]] = [()] * len(spec.hexagons)
    for h in outputs:
        reads[h] = (h,) if hidden[h] else tuple(s for s, t in edges if t == h and hidden[s])
    return Topology(
        connections=tuple(edges),
        groups=tuple(groups),
        links=tuple(sorted(links, key=lambda link: (link.target, link.group))),
        hidden=tuple(hidden),
        reads=tuple(reads),
    )
