"""Every call is stated once, and can be made: by a function, unless said otherwise."""

import ast
import importlib
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import hanami_sdk
from hanami_sdk.calls import accounts, clusters, datasets, system, tasks
from hanami_sdk.calls.call import Call

ROOT = Path(hanami_sdk.__file__).parent
MODULES = (accounts, clusters, datasets, system, tasks)
FUNCTIONS = (
    "checkpoint", "cluster", "dataset", "hanami_token", "hosts", "logs", "project", "task", "user",
)  # fmt: skip

OF_CLIENTS = "newer than the functions; the clients have it"
BY_UPLOADS = "upload_mnist_files and upload_csv_files have the uploads of the client send it"
WITHOUT_FUNCTION = {
    "datasets.download_dataset": OF_CLIENTS,
    "datasets.finish_upload": BY_UPLOADS,
    "datasets.start_upload": BY_UPLOADS,
    "datasets.get_upload": "only who resumes asks for it, and functions do not",
    "system.get_caller": OF_CLIENTS,
    "system.get_info": OF_CLIENTS,
    "system.get_power": OF_CLIENTS,
    "system.get_speed": OF_CLIENTS,
    "system.get_temperature": OF_CLIENTS,
    "system.get_threads": OF_CLIENTS,
}

# Pages of content are asked for in `hanami_sdk.client.columns`, when a column is read.
WITHOUT_METHOD = {"datasets.get_content"}


def short_name(module: ModuleType) -> str:
    return module.__name__.rpartition(".")[2]


def all_calls() -> Iterator[str]:
    for module in MODULES:
        for name in module.__all__:
            if makes_call(getattr(module, name)):
                yield f"{short_name(module)}.{name}"


def makes_call(value: object) -> bool:
    returned = getattr(value, "__annotations__", {}).get("return")
    return getattr(returned, "__origin__", None) is Call


def uses(path: Path) -> set[str]:
    """Which attributes of the modules of calls a file uses."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
    }


def test_every_call_has_a_function_or_says_why_not():
    used = set().union(*(uses(ROOT / f"{module}.py") for module in FUNCTIONS))
    assert {call for call in all_calls() if call not in used} == WITHOUT_FUNCTION.keys()


@pytest.mark.parametrize("folder", ["_async", "_sync"])
def test_every_call_has_a_method_of_both_clients(folder):
    files = [*(ROOT / "client" / folder).glob("*.py"), ROOT / "client" / "session.py"]
    used = set().union(*(uses(file) for file in files))
    assert {call for call in all_calls() if call not in used} == WITHOUT_METHOD


@pytest.mark.parametrize("module", FUNCTIONS)
def test_a_module_of_functions_names_no_path_itself(module):
    source = Path(str(importlib.import_module(f"hanami_sdk.{module}").__file__))
    assert not {"API_PREFIX", "send_get_request", "send_post_request"} & {
        node.id
        for node in ast.walk(ast.parse(source.read_text(encoding="utf-8")))
        if isinstance(node, ast.Name)
    }


def test_the_generated_client_has_the_files_of_the_one_it_is_made_from():
    written, made = (
        {p.name for p in (ROOT / "client" / f).glob("*.py")} for f in ("_async", "_sync")
    )
    assert written == made


@pytest.mark.parametrize(
    "path", sorted((ROOT / "client" / "_sync").glob("*.py")), ids=lambda path: path.stem
)
def test_nothing_is_awaited_in_the_client_that_waits(path):
    awaiting = ast.AsyncFunctionDef | ast.Await | ast.AsyncWith | ast.AsyncFor
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert not [node.lineno for node in ast.walk(tree) if isinstance(node, awaiting)]
    assert "asyncio" not in {node.id for node in ast.walk(tree) if isinstance(node, ast.Name)}
