"""A moment of a network's history as a value: what a checkpoint names and a restore goes to."""

from hanami_actors.domain.base import Value
from hanami_actors.domain.cluster.template import Template

__all__ = ["Figures", "Sizes", "Source"]

Figures = tuple[tuple[str, float], ...]
"""Metrics of a network by name: blocks, sections, running error …; sorted."""

Sizes = tuple[tuple[str, int], ...]
"""Numbers of values by the name of an input or output; sorted."""


class Source(Value, frozen=True, kw_only=True):
    """A moment, with everything that is shown or checked before its arrays are loaded.

    Attributes
    ----------
    stream : str
        The cluster whose history leads there; empty when the state was uploaded.
    version : int
        How many events of that stream tell the history.
    span_uuid : str
        Task or direct session that the moment lies in; empty when nothing was learned.
    cycle : int
        Cycles of that task or session that were run.
    digest : str
        State of the network, empty if unknown.
    kernel_version : int
        Of the kernels that computed it, 0 if unknown.
    image : str
        Blob of an uploaded state; empty otherwise.
    template_text, template, seed
        What the network was created from.
    inputs, outputs : tuple of (name, number of values)
        Sizes that were learned.
    figures : tuple of (name, value)
        Newest recorded metrics.
    """

    stream: str = ""
    version: int = 0
    span_uuid: str = ""
    cycle: int = 0
    digest: str = ""
    kernel_version: int = 0
    image: str = ""
    template_text: str = ""
    template: Template
    seed: int
    inputs: Sizes = ()
    outputs: Sizes = ()
    figures: Figures = ()
