"""The Python files of the repository, parsed once, for the tests of its rules."""

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("hanami_actors", "hanami_sdk")
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
