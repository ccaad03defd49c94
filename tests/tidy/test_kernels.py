"""Rules of the kernels: nothing that could change a bit, nothing hidden from the cache."""

import ast

import pytest

from hanami_actors.compute.cache import ENTRIES, KERNELS

FILES = sorted(KERNELS.glob("*.py"))

FORBIDDEN_NAMES = {"prange", "jitclass", "vectorize", "guvectorize", "stencil", "fma"}
FORBIDDEN_FLAGS = {"fastmath", "parallel", "boundscheck", "locals"}
LIBRARY_CALLS = {
    *("exp", "exp2", "expm1", "log", "log2", "log10", "log1p", "pow", "power", "float_power"),
    *("sin", "cos", "tan", "tanh", "sinh", "cosh", "arctan", "arctan2", "hypot", "cbrt"),
    *("sum", "dot", "matmul", "mean", "prod", "cumsum", "einsum", "random", "linalg"),
}
"""Attributes of numpy or math whose result may depend on the library, or whose order is not ours."""


def compiled_functions(path):
    for node in ast.walk(ast.parse(path.read_text())):
        names = {d.id for d in getattr(node, "decorator_list", []) if isinstance(d, ast.Name)}
        if names & {"kernel", "entry"}:
            yield node


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_flag_or_name_that_allows_another_order(path):
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.keyword):
            assert node.arg not in FORBIDDEN_FLAGS, f"{path.name}:{node.value.lineno}"
        name = getattr(node, "id", None) or getattr(node, "attr", None)
        assert name not in FORBIDDEN_NAMES, f"{path.name} uses {name}"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_no_call_of_a_library_function_that_is_not_exact(path):
    for function in compiled_functions(path):
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
                bad = node.value.id in ("np", "math") and node.attr in LIBRARY_CALLS
                assert not bad, f"{path.name}:{node.lineno} {node.value.id}.{node.attr}"
            if isinstance(node, ast.BinOp):
                assert not isinstance(node.op, ast.Pow), f"{path.name}:{node.lineno} uses **"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_only_the_two_decorators_compile(path):
    text = path.read_text()
    if path.name != "jit.py":
        assert "njit" not in text
        assert "import numba" not in text


def test_only_the_file_whose_time_stamp_is_checked_has_entries():
    with_entries = [path for path in FILES if "@entry" in path.read_text()]
    assert with_entries == [ENTRIES]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_kernel_has_a_docstring(path):
    for function in compiled_functions(path):
        assert ast.get_docstring(function), f"{path.name} {function.name}"
