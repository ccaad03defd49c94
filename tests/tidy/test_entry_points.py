"""The installed commands exist, answer --help fast, and the SDK stays light."""

import configparser
import subprocess
import sys

import pytest

from tests.tidy.sources import ROOT

HEAVY = ("numba", "numpy", "llvmlite", "sklearn")


def console_scripts() -> dict[str, str]:
    config = configparser.ConfigParser()
    config.read(ROOT / "setup.cfg", encoding="utf-8")
    lines = config["options.entry_points"]["console_scripts"].split("\n")
    pairs = (line.split("=") for line in lines if line.strip())
    return {name.strip(): target.strip() for name, target in pairs}


def loaded_modules(code: str) -> tuple[str, set[str]]:
    """Run code in a fresh interpreter; return its output and the top-level modules it loaded."""
    code += "\nimport sys; print('LOADED', *{name.split('.')[0] for name in sys.modules})"
    done = subprocess.run(
        [sys.executable, "-c", code],
        check=False,
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    output, _, names = done.stdout.rpartition("LOADED")
    return output, set(names.split())


def test_there_are_three_commands():
    assert sorted(console_scripts()) == ["hanami-log", "hanami-server", "hanamictl"]


@pytest.mark.parametrize(("name", "target"), console_scripts().items(), ids=str)
def test_help_of_every_command_loads_nothing_heavy(name, target):
    module, function = target.split(":")
    output, loaded = loaded_modules(
        f"import sys; sys.argv = [{name!r}, '--help']\n"
        f"from {module} import {function} as command\n"
        "try:\n    status = command()\n"
        "except SystemExit as error:\n    status = error.code\n"
        "assert status in (0, None), status"
    )
    assert name in output
    assert loaded.isdisjoint(HEAVY)


def test_the_sdk_loads_neither_the_server_nor_anything_heavy():
    modules = sorted(
        f"hanami_sdk.{path.stem}"
        for path in (ROOT / "hanami_sdk").glob("*.py")
        if path.stem != "__init__"
    )
    _, loaded = loaded_modules(f"import hanami_sdk, {', '.join(modules)}")
    assert "hanami_sdk" in loaded
    assert loaded.isdisjoint({*HEAVY, "hanami_actors"})
