"""The Python files of the repository, parsed once, for the tests of its rules."""

import ast
import functools
import io
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("hanami_actors", "hanami_sdk")
NO_CODE = {
    tokenize.COMMENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
    tokenize.INDENT,
    tokenize.NEWLINE,
    tokenize.NL,
}
FOLDERS = (*PACKAGES, "tests", "benchmarks", "scripts")


@dataclass(frozen=True)
class Source:
    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def folder(self) -> str:
        return self.name.split("/", 1)[0]

    @property
    def is_kernel(self) -> bool:
        return "/kernels/" in self.name

    def functions(self) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
        for node in ast.walk(self.tree):
            if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
                yield node

    def code_line_count(self) -> int:
        """Lines that do something: no imports, ``__all__``, docstrings, comments, blank lines."""
        lines: set[int] = set()
        for token in tokenize.generate_tokens(io.StringIO(self.text).readline):
            if token.type not in NO_CODE:
                lines.update(range(token.start[0], token.end[0] + 1))
        for node in ast.walk(self.tree):
            if isinstance(node, ast.stmt) and _is_uncounted(node):
                lines.difference_update(range(node.lineno, (node.end_lineno or node.lineno) + 1))
        return len(lines)


def _is_uncounted(node: ast.stmt) -> bool:
    match node:
        case ast.Import() | ast.ImportFrom() | ast.Expr(value=ast.Constant(value=str())):
            return True
        case ast.Assign(targets=[ast.Name(id="__all__")]):
            return True
        case _:
            return False


@functools.cache
def sources() -> tuple[Source, ...]:
    """All hand-written files; generated ones are left out."""
    found = []
    for folder in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            is_python = path.suffix == ".py" or (folder == "scripts" and _is_python_script(path))
            if is_python and not path.stem.endswith("_pb2"):
                text = path.read_text(encoding="utf-8")
                found.append(Source(path, text, ast.parse(text, filename=str(path))))
    return tuple(found)


def sources_of(*folders: str) -> tuple[Source, ...]:
    return tuple(source for source in sources() if source.folder in folders)


def _is_python_script(path: Path) -> bool:
    if path.suffix or not path.is_file():
        return False
    with path.open("rb") as file:
        first = file.readline()
    return first.startswith(b"#!") and b"python" in first
