"""A look at the pages of the log's file that does not trust them.

LMDB checks nothing of what it reads and follows damaged page numbers out of the file, which kills
the process. So a verification first walks the trees by itself: page numbers, kinds, borders, the
order of keys, the numbers of entries and pages. The format is that of LMDB 0.9 with 64-bit numbers.
"""

import mmap
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import lmdb

from hanami_actors.errors import LogCorruptError
from hanami_actors.eventlog.directory import storage_errors
from hanami_actors.eventlog.lmdb_errors import DATA_NAME, LIB_VERSION, can_lock, lmdb_errors

__all__ = ["check_pages", "check_pages_at_start"]

SMALL_PAGE_COUNT = 4_096
"""Pages that are walked in a tenth of a second."""

_MAGIC = 0xBEEF_C0DE
_VERSION = 1
ADVICE = "restore it from a backup, or choose another data directory"

_HEADER = struct.Struct("<QHHHH")
_TREE = struct.Struct("<IHHQQQQQ")
_META = struct.Struct("<IIQQ")
_NODE = struct.Struct("<HHHH")
_NUMBER = struct.Struct("<Q")
_BRANCH, _LEAF, _OVERFLOW, _META_PAGE = 1, 2, 4, 8
_BIG_DATA, _SUB_DATA = 1, 2
_NO_PAGE = 2**64 - 1
_PROGRESS_STEP = 500
_PAGE_BYTES = 4_096


class _Tree(NamedTuple):
    """A tree as its parent describes it."""

    name: str
    flags: int
    depth: int
    branch_pages: int
    leaf_pages: int
    overflow_pages: int
    entries: int
    root: int


class _Seen:
    """What was found on the way through a tree."""

    def __init__(self) -> None:
        self.branch_pages = self.leaf_pages = self.overflow_pages = self.entries = 0
        self.last_key: bytes | None = None


class _Node(NamedTuple):
    key: bytes
    flags: int
    data: bytes
    size: int
    child: int


def check_pages(path: Path, progress: Callable[[int], None] = lambda _: None) -> int:
    """Walk all trees of the newest state; return the number of pages in use.

    Parameters
    ----------
    path : Path
        Directory of the log; a server may be writing to it.
    progress : callable
        Told the pages done.

    Raises
    ------
    LogCorruptError
        Names the first page that does not hold.
    """
    what = f"the file {path / DATA_NAME}"
    with _pinned(path), storage_errors(what), (path / DATA_NAME).open("rb") as file:
        if file.seek(0, 2) == 0:
            raise LogCorruptError(f"{what} is empty; restore it from a backup")
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
            return _Walk(data, progress).run()


def check_pages_at_start(path: Path) -> None:
    """Walk the pages of a log that is small enough for it not to be felt.

    A larger one is trusted as LMDB trusts it; a verification walks it.

    Parameters
    ----------
    path : Path
        Directory of the log, which may not be there yet.

    Raises
    ------
    LogCorruptError
        Names the first page that does not hold.
    """
    file = path / DATA_NAME
    with storage_errors(f"the file {file}"):
        size_bytes = file.stat().st_size if file.exists() else 0
    # Two heads and nothing else: a log that was begun and got no further.
    if 2 * _PAGE_BYTES < size_bytes <= SMALL_PAGE_COUNT * _PAGE_BYTES:
        check_pages(path)


@contextmanager
def _pinned(path: Path) -> Iterator[None]:
    """Keep a writer from using the pages of the newest state again; looks at its head alone."""
    if not can_lock(path):
        yield  # a copy: nobody writes
        return
    with (
        lmdb_errors(path),
        lmdb.open(str(path), readonly=True, create=False, lib_version=LIB_VERSION) as env,
        env.begin(),
    ):
        yield


class _Walk:
    def __init__(self, data: mmap.mmap, progress: Callable[[int], None]) -> None:
        self._data = data
        self._progress = progress
        self._page_size = _PAGE_BYTES
        self._page_count = 0
        self._used: set[int] = set()

    def run(self) -> int:
        free, main, self._page_count = self._newest_meta()
        for tree in (free, main):
            self._check_tree(tree)
        return len(self._used)

    def _newest_meta(self) -> tuple[_Tree, _Tree, int]:
        """Return the trees of the newer of the two meta pages, and the number of pages."""
        found = []
        for number in (0, 1):
            at = number * self._page_size + _HEADER.size
            if at + _META.size + 2 * _TREE.size + 16 > len(self._data):
                raise LogCorruptError(
                    f"the file of the log is cut off within its first pages; {ADVICE}"
                )
            magic, version, _, _ = _META.unpack_from(self._data, at)
            if magic != _MAGIC or version != _VERSION:
                raise LogCorruptError(
                    f"page {number} of the log's file does not begin as such a file does; {ADVICE}"
                )
            trees = at + _META.size
            if number == 0:
                self._page_size = _TREE.unpack_from(self._data, trees)[0]
                if self._page_size not in {2**power for power in range(9, 17)}:
                    raise LogCorruptError(
                        f"page 0 of the log's file has an impossible page size; {ADVICE}"
                    )
            last = trees + 2 * _TREE.size
            last_page, transaction = (
                _NUMBER.unpack_from(self._data, last + offset)[0] for offset in (0, 8)
            )
            pair = [self._tree(name, trees + index * _TREE.size) for index, name in _ROOTS]
            found.append((transaction, pair[0], pair[1], last_page + 1))
        _, free, main, page_count = max(found, key=lambda each: each[0])
        if page_count * self._page_size > len(self._data):
            raise LogCorruptError(
                f"the file of the log has {len(self._data)} bytes, its newest state needs"
                f" {page_count * self._page_size}; {ADVICE}"
            )
        return free, main, page_count

    def _tree(self, name: str, at: int) -> _Tree:
        return _Tree(name, *_TREE.unpack_from(self._data, at)[1:])

    def _check_tree(self, tree: _Tree) -> None:
        seen = _Seen()
        if tree.root != _NO_PAGE:
            self._visit(tree, tree.root, 1, seen)
        described = (tree.branch_pages, tree.leaf_pages, tree.overflow_pages, tree.entries)
        counted = (seen.branch_pages, seen.leaf_pages, seen.overflow_pages, seen.entries)
        if described != counted:
            raise LogCorruptError(
                f"database {tree.name!r} of the log should have {described[3]} entries on"
                f" {sum(described[:3])} pages, {counted[3]} on {sum(counted[:3])} were found"
            )

    def _visit(self, tree: _Tree, page: int, depth: int, seen: _Seen) -> None:
        at = self._claim(tree, page)
        number, _, flags, lower, upper = _HEADER.unpack_from(self._data, at)
        kind = _LEAF if depth == tree.depth else _BRANCH
        if number != page or flags & 0xF != kind:
            raise self._broken(tree, page, "says that it is another page")
        count, odd = divmod(lower - _HEADER.size, 2)
        if odd or not _HEADER.size <= lower <= upper <= self._page_size or count < 1:
            raise self._broken(tree, page, "has impossible borders")
        if kind == _BRANCH:
            seen.branch_pages += 1
            for index, node in enumerate(self._nodes(tree, page, count, upper, is_leaf=False)):
                if index:
                    self._require_order(tree, page, seen, node.key, inclusive=True)
                self._visit(tree, node.child, depth + 1, seen)
            return
        seen.leaf_pages += 1
        for node in self._nodes(tree, page, count, upper, is_leaf=True):
            self._require_order(tree, page, seen, node.key)
            self._check_leaf_node(tree, page, node, seen)

    def _nodes(
        self, tree: _Tree, page: int, count: int, upper: int, *, is_leaf: bool
    ) -> Iterator[_Node]:
        at = page * self._page_size
        for place in struct.unpack_from(f"<{count}H", self._data, at + _HEADER.size):
            if not upper <= place <= self._page_size - _NODE.size:
                raise self._broken(tree, page, "points outside of itself")
            low, high, flags, key_size = _NODE.unpack_from(self._data, at + place)
            begin = at + place + _NODE.size
            size = low | high << 16 if is_leaf else 0
            stored = _NUMBER.size if is_leaf and flags & _BIG_DATA else size
            if place + _NODE.size + key_size + stored > self._page_size:
                raise self._broken(tree, page, "has an entry that does not fit into it")
            key = self._data[begin : begin + key_size]
            data = self._data[begin + key_size : begin + key_size + stored]
            child = low | high << 16 | flags << 32
            yield _Node(key, flags if is_leaf else 0, data, size, child)

    def _check_leaf_node(self, tree: _Tree, page: int, node: _Node, seen: _Seen) -> None:
        seen.entries += 1
        if node.flags & _BIG_DATA:
            first = _NUMBER.unpack(node.data)[0]
            at = self._claim(tree, first)
            number, _, flags, low, high = _HEADER.unpack_from(self._data, at)
            needed = -(-(_HEADER.size + node.size) // self._page_size)
            if number != first or flags & 0xF != _OVERFLOW or low | high << 16 != needed:
                raise self._broken(tree, first, "says that it is another page")
            for other in range(first + 1, first + needed):
                self._claim(tree, other)
            seen.overflow_pages += needed
        elif node.flags & _SUB_DATA:
            if len(node.data) != _TREE.size:
                raise self._broken(tree, page, "describes a database wrongly")
            name = node.key.decode("ascii", "replace")
            self._check_tree(_Tree(name, *_TREE.unpack(node.data)[1:]))

    def _claim(self, tree: _Tree, page: int) -> int:
        """Return where a page begins, which nobody else may use."""
        if not 2 <= page < self._page_count:
            raise LogCorruptError(
                f"database {tree.name!r} of the log names page {page}, but the file has pages 2 to"
                f" {self._page_count - 1}; restore the log from a backup"
            )
        if page in self._used:
            raise self._broken(tree, page, "is used twice")
        self._used.add(page)
        if len(self._used) % _PROGRESS_STEP == 0:
            self._progress(len(self._used))
        return page * self._page_size

    def _require_order(
        self, tree: _Tree, page: int, seen: _Seen, key: bytes, *, inclusive: bool = False
    ) -> None:
        # Numbers of the list of free pages are stored as the machine writes them.
        if tree.name == "free" or seen.last_key is None:
            seen.last_key = key
            return
        if key < seen.last_key or (key == seen.last_key and not inclusive):
            raise self._broken(tree, page, "has keys in the wrong order")
        if not inclusive:
            seen.last_key = key

    def _broken(self, tree: _Tree, page: int, what: str) -> LogCorruptError:
        return LogCorruptError(
            f"page {page} of the log's file (database {tree.name!r}) {what}; restore the log from a"
            " backup"
        )


_ROOTS = ((0, "free"), (1, "main"))
