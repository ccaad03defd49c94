"""The examples of the document are commands that exist, with arguments that fit."""

import ast
import re
import shlex
from pathlib import Path

import click
import pytest

from hanami_sdk.cli.main import ROOT

DOCUMENT = Path(__file__).parents[3] / "docs" / "sdk_cli.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", TEXT, re.DOTALL | re.MULTILINE)
SHELL = "".join(block for language, block in BLOCKS if not language).replace("\\\n", "")
COMMANDS = [line for line in SHELL.split("\n") if line.startswith("hanamictl ")]
PYTHON = [block for language, block in BLOCKS if language == "python"]


@pytest.mark.parametrize("line", COMMANDS)
def test_a_command_of_the_document_is_understood(line):
    words = shlex.split(line)[1:]
    command: click.Command = ROOT
    context = click.Context(ROOT, info_name="hanamictl")
    while isinstance(command, click.Group):
        command = command.commands[words.pop(0)]
        if isinstance(command, click.Group):
            context = click.Context(command, parent=context, info_name=command.name)
    # Faults raise; nothing is run.
    understood = command.make_context(command.name, words, parent=context)
    assert understood.command is command


@pytest.mark.parametrize("block", PYTHON)
def test_a_block_of_python_is_python(block):
    # They run against the real server in tests/protocol.
    assert ast.parse(block).body != []


def test_the_document_has_examples_of_both_kinds():
    assert len(COMMANDS) >= 10
    assert len(PYTHON) >= 3
