"""Rules for the tests themselves."""

import ast
from typing import TypeGuard

from tests.tidy.sources import Source, sources_of

CHECKING_CALLS = ("raises", "warns", "fail")


def test_no_test_waits_by_sleeping():
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources_of("tests")
        for node in ast.walk(source.tree)
        if _is_sleep(node)
    ]
    assert found == []


def _is_sleep(node: ast.AST) -> TypeGuard[ast.ImportFrom | ast.Attribute]:
    if isinstance(node, ast.ImportFrom):
        return node.module == "time" and any(alias.name == "sleep" for alias in node.names)
    return isinstance(node, ast.Attribute) and ast.unparse(node) == "time.sleep"


def test_every_test_asserts_something():
    trusted = set(CHECKING_CALLS)
    functions = [node for source in sources_of("tests") for node in source.functions()]
    # A test may leave the asserting to a helper; helpers may use helpers.
    while more := {
        node.name for node in functions if node.name not in trusted and _checks(node, trusted)
    }:
        trusted |= more
    found = [
        f"{source.name}:{node.lineno} {node.name}"
        for source in sources_of("tests")
        for node in _tests_of(source)
        if not _checks(node, trusted)
    ]
    assert found == []


def _tests_of(source: Source) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    return [node for node in source.functions() if node.name.startswith("test_")]


def _checks(function: ast.AST, trusted: set[str]) -> bool:
    return any(
        isinstance(node, ast.Assert)
        or (isinstance(node, ast.Call) and _asserts(_called_name(node.func), trusted))
        for node in ast.walk(function)
    )


def _asserts(name: str, trusted: set[str]) -> bool:
    return name in trusted or name.startswith("assert_")


def _called_name(called: ast.expr) -> str:
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def test_every_test_name_has_a_subject_and_a_verb():
    short = [
        f"{source.name}:{node.lineno} {node.name}"
        for source in sources_of("tests")
        for node in _tests_of(source)
        if node.name.count("_") < 2
    ]
    assert short == []


def test_every_folder_of_tests_is_a_package_so_that_names_may_repeat():
    missing = {
        source.path.parent.name
        for source in sources_of("tests")
        if not (source.path.parent / "__init__.py").exists()
    }
    assert missing == set()
