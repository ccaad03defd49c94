"""The SDK stays light: what importing it loads, looked at in a fresh interpreter."""

import json
import subprocess
import sys

import pytest

HEAVY = {"numpy", "numba", "hanami_actors", "pykka", "tornado", "lmdb", "llvmlite"}
ALL_MODULES = (
    "import hanami_sdk, pkgutil, importlib\n"
    "for m in pkgutil.walk_packages(hanami_sdk.__path__, 'hanami_sdk.'):\n"
    "    importlib.import_module(m.name)\n"
)


def loaded_by(code: str) -> set[str]:
    tail = "\nimport json, sys\nsys.stderr.write(json.dumps(sorted(sys.modules)))"
    result = subprocess.run(
        [sys.executable, "-c", code + tail], capture_output=True, check=True, text=True
    )
    return {name.partition(".")[0] for name in json.loads(result.stderr)}


def test_no_module_of_the_sdk_loads_the_server_or_numbers_packages():
    assert not loaded_by(ALL_MODULES) & HEAVY


@pytest.mark.parametrize("module", ["task", "project", "user", "hosts", "cluster", "hanami_token"])
def test_modules_without_websockets_load_neither_websockets_nor_protobuf(module):
    assert not loaded_by(f"from hanami_sdk import {module}") & {"websockets", "google"}
