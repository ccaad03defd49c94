"""The template of a cluster as a value. Parsing is in ``template_parser``."""

from hanami_actors.domain.base import Value

__all__ = ["Axon", "Template", "TemplatePort"]

Coordinates = tuple[int, int, int]


class Axon(Value, frozen=True, kw_only=True):
    """Connections of ``source`` arrive in ``target`` itself; both are hexagon indexes."""

    source: int
    target: int


class TemplatePort(Value, frozen=True, kw_only=True):
    """A named input or output.

    Attributes
    ----------
    name : str
    hexagon : int
        Index of the hexagon it is attached to.
    kind : str
        Inputs: ``plain``, ``binary``, ``match``. Outputs: ``plain``, ``bool``, ``int``, ``float``.
    """

    name: str
    hexagon: int
    kind: str = "plain"


class Template(Value, frozen=True, kw_only=True):
    """A parsed template; settings are complete, defaults filled in, sorted by name.

    Attributes
    ----------
    hexagons : tuple of (x, y, z)
        In template order; the order is the ``hexagon_id``.
    settings : tuple of (name, value)
        Everything of the settings table except ``seed``.
    seed : int or None
        None when the template does not name one.
    """

    hexagons: tuple[Coordinates, ...]
    axons: tuple[Axon, ...] = ()
    inputs: tuple[TemplatePort, ...] = ()
    outputs: tuple[TemplatePort, ...] = ()
    settings: tuple[tuple[str, float | int | bool], ...] = ()
    seed: int | None = None
