"""Datasets on their way out of the server, block by block."""

from collections.abc import Iterator

from msgspec.structs import replace

from hanami_actors.datasets import export
from hanami_actors.datasets.export import ExportPlan
from hanami_actors.runtime.child_process import ChildProcess

__all__ = ["Export", "Exporter"]

INLINE_VALUES_MAX = 8 * 1024
"""So few values are written as text faster than another process is asked to."""


class Export:
    """One dataset in one format, ready to be read.

    Attributes
    ----------
    content_type : str
    extension : str
        Of a file with this content.
    size_bytes : int or None
        Of the whole; None when nobody knows before the end.
    """

    def __init__(self, plan: ExportPlan, child: ChildProcess) -> None:
        self._plan = plan
        # The names went with the head; a block needs none, and there may be many.
        self._body = replace(plan, names=())
        self._child = child
        self.content_type = export.FORMATS[plan.format]
        self.extension = plan.format
        self.size_bytes = export.size_bytes(plan)

    def blocks(self) -> Iterator[bytes]:
        """Yield the bytes; every step blocks, on the disk or on the child.

        Raises
        ------
        BlobMissingError
            A file is not there.
        BusyError
            The child was killed or the server stops.
        """
        head = export.head_bytes(self._plan)
        for first, last in export.block_ranges(self._plan):
            block = self._encode(first, last)
            yield head + block if head else block
            head = b""
        if head:
            yield head

    def _encode(self, first: int, last: int) -> bytes:
        plan = self._plan
        is_small = (plan.last - plan.first) * len(plan.names) <= INLINE_VALUES_MAX
        if plan.format == "npy" or is_small:
            return export.encode_block(self._body, first, last)
        # Writing numbers as text is pure interpreter work, minutes of it for a large dataset.
        return self._child.run(export.encode_block, self._body, first, last)


class Exporter:
    """Makes exports; all of them share one child, block by block in turns. Thread-safe."""

    def __init__(self) -> None:
        self._child = ChildProcess("the process that writes CSV files")

    def open(self, plan: ExportPlan) -> Export:
        """Return the export of a plan; nothing is read yet."""
        return Export(plan, self._child)

    def close(self, timeout_s: float) -> None:
        """Stop the child; exports that are being read end with BusyError."""
        self._child.close(timeout_s)
