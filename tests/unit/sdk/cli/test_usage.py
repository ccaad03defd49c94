"""Faults of the command line: texts, streams and exit statuses; no server is needed."""

import subprocess
import sys

import click
import pytest

from hanami_sdk.cli.main import ROOT

FAULTS = [
    (["project", "create", "some_id"], 'required flag(s) "name" not set'),
    (["task", "create", "train", "name"], 'required flag(s) "cluster", "input", "output" not set'),
    (
        ["task", "create", "request", "name"],
        'required flag(s) "cluster", "input", "result" not set',
    ),
    (["user", "create", "u"], 'required flag(s) "name" not set'),
    (["dataset", "create", "mnist", "n"], 'required flag(s) "input", "label" not set'),
    (["dataset", "create", "csv", "n"], 'required flag(s) "input" not set'),
    (["dataset", "check", "u"], 'required flag(s) "reference" not set'),
    (["dataset", "content", "u"], 'required flag(s) "column", "rows" not set'),
    (["dataset", "content", "u", "-c", "x"], 'required flag(s) "rows" not set'),
    (["cluster", "create", "n"], 'required flag(s) "template" not set'),
    (["cluster", "save", "n"], 'required flag(s) "name" not set'),
    (["cluster", "restore", "n"], 'required flag(s) "checkpoint" not set'),
    (["task", "get", "n"], 'required flag(s) "cluster" not set'),
    (["task", "list"], 'required flag(s) "cluster" not set'),
    (["task", "delete", "n"], 'required flag(s) "cluster" not set'),
    (["project", "get"], "accepts 1 arg(s), received 0"),
    (["project", "get", "a", "b"], "accepts 1 arg(s), received 2"),
    (["project", "create"], "accepts 1 arg(s), received 0"),
    (["user", "delete", "-j"], "accepts 1 arg(s), received 0"),
    (["project", "list", "--x"], "unknown flag: --x"),
    (["project", "--x"], "unknown flag: --x"),
    (["--x"], "unknown flag: --x"),
    (["project", "list", "-x"], "unknown shorthand flag: 'x' in -x"),
    (["project", "list", "-jxy"], "unknown shorthand flag: 'x' in -xy"),
    (["project", "create", "id", "-n"], "flag needs an argument: 'n' in -n"),
    (["project", "create", "id", "-jn"], "flag needs an argument: 'n' in -n"),
    (["project", "create", "id", "--name"], "flag needs an argument: --name"),
    (
        ["dataset", "content", "u", "-c", "x", "-n", "ten"],
        'invalid argument "ten" for "-n, --rows" flag: it must be a whole number',
    ),
]


@pytest.mark.parametrize(("arguments", "text"), FAULTS, ids=str)
def test_a_fault_is_on_stdout_and_with_the_usage_on_stderr(hanamictl, arguments, text):
    outcome = hanamictl(*arguments)
    assert outcome.status == 1
    assert outcome.out == f"{text}\n"
    assert outcome.err.startswith(f"Error: {text}\nUsage:\n  hanamictl")
    assert "\nFlags:\n" in outcome.err


def test_an_unknown_command_at_the_top_is_an_error_with_a_pointer_to_the_help(hanamictl):
    outcome = hanamictl("foo")
    assert outcome.status == 1
    assert outcome.out == 'unknown command "foo" for "hanamictl"\n'
    assert outcome.err == (
        'Error: unknown command "foo" for "hanamictl"\nRun \'hanamictl --help\' for usage.\n\n'
    )


def groups(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return []
    found = [path]
    for name, child in command.commands.items():
        found += groups(child, (*path, name))
    return found


def commands(command: click.Command, path: tuple[str, ...] = ()) -> list[tuple[str, ...]]:
    if not isinstance(command, click.Group):
        return [path]
    return [
        found
        for name, child in command.commands.items()
        for found in commands(child, (*path, name))
    ]


@pytest.mark.parametrize("path", groups(ROOT), ids=" ".join)
def test_a_group_alone_or_with_an_unknown_command_shows_its_help(hanamictl, path):
    expected = hanamictl(*path, "--help")
    assert (expected.status, expected.err) == (0, "")
    assert "Available Commands:" in expected.out
    assert hanamictl(*path) == expected
    assert hanamictl(*path, "-j") == expected
    assert hanamictl("help", *path) == expected
    if path:
        assert hanamictl(*path, "foo") == expected


@pytest.mark.parametrize("path", commands(ROOT), ids=" ".join)
def test_every_command_has_a_help_that_names_its_flags(hanamictl, path):
    outcome = hanamictl(*path, "-h")
    assert (outcome.status, outcome.err) == (0, "")
    assert f"Usage:\n  hanamictl {' '.join(path)}" in outcome.out
    assert "--json_output" in outcome.out
    assert "--insecure" in outcome.out
    assert hanamictl("help", *path) == outcome


def test_all_commands_of_the_contract_exist():
    assert {" ".join(path) for path in commands(ROOT)} >= {
        *(f"project {verb}" for verb in ("create", "get", "list", "delete")),
        *(f"user {verb}" for verb in ("create", "get", "list", "delete")),
        "dataset create mnist",
        "dataset create csv",
        *(f"dataset {verb}" for verb in ("get", "list", "delete", "check", "content")),
        *(f"cluster {verb}" for verb in ("create", "get", "list", "delete", "save", "restore")),
        "task create train",
        "task create request",
        *(f"task {verb}" for verb in ("get", "list", "delete")),
        *(f"checkpoint {verb}" for verb in ("get", "list", "delete")),
        "host list",
        *(f"completion {shell}" for shell in ("bash", "zsh", "fish")),
        "help",
    }


def test_the_version_is_printed(hanamictl):
    assert hanamictl("--version") == (0, "hanamictl version 0.5.0\n", "")


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_a_completion_script_is_printed(hanamictl, shell):
    outcome = hanamictl("completion", shell)
    assert (outcome.status, outcome.err) == (0, "")
    assert "_HANAMICTL_COMPLETE" in outcome.out


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        ("hanamictl task ", {"create", "get", "list", "delete"}),
        ("hanamictl task list --cl", {"--cluster"}),
        ("hanamictl task create train --", {"--epochs", "--wait", "--json_output", "--input"}),
    ],
)
def test_completion_offers_commands_and_flags(hanamictl, monkeypatch, capfd, words, expected):
    monkeypatch.setenv("_HANAMICTL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    monkeypatch.setenv("COMP_WORDS", words)
    with pytest.raises(SystemExit):
        hanamictl()
    offered = {line.partition(",")[2] for line in capfd.readouterr().out.split("\n")}
    assert expected <= offered


@pytest.mark.parametrize(
    "words",
    [
        "hanamictl dataset create csv -i ",
        "hanamictl dataset create mnist --label la",
        "hanamictl dataset download -f ",
        "hanamictl checkpoint upload -f ",
        "hanamictl cluster create -t tem",
    ],
)
def test_completion_offers_files_where_a_path_belongs(hanamictl, monkeypatch, capfd, words):
    monkeypatch.setenv("_HANAMICTL_COMPLETE", "bash_complete")
    monkeypatch.setenv("COMP_CWORD", str(words.count(" ")))
    monkeypatch.setenv("COMP_WORDS", words)
    with pytest.raises(SystemExit):
        hanamictl()
    assert capfd.readouterr().out == f"file,{words.rpartition(' ')[2]}\n"


@pytest.mark.parametrize(
    ("values", "missing"),
    [
        ({}, "HANAMI_USER"),
        ({"USER": "", "PASSPHRASE": "x", "ADDRESS": "x"}, "HANAMI_USER"),
        ({"USER": "asdf"}, "HANAMI_PASSPHRASE"),
        ({"USER": "asdf", "PASSPHRASE": "asdfasdf"}, "HANAMI_ADDRESS"),
        ({"USER": "asdf", "PW": "asdfasdf"}, "HANAMI_ADDRESS"),
    ],
)
def test_a_missing_environment_is_explained_on_stderr_with_status_2(
    hanamictl, environment, values, missing
):
    environment(**values)
    outcome = hanamictl("host", "list")
    assert outcome.status == 2
    assert outcome.out == ""
    assert outcome.err.startswith(f"{missing} is not set\n")
    assert "HANAMI_ADDRESS      address of the server" in outcome.err


def test_the_help_needs_nothing_heavy():
    code = (
        "import sys; sys.argv = ['hanamictl', '--help']\n"
        "from hanami_sdk.cli.main import main\n"
        "assert main() == 0\n"
        "heavy = {'numba', 'numpy', 'google', 'websockets', 'httpx', 'rich', 'hanami_actors'}\n"
        "loaded = {name.partition('.')[0] for name in sys.modules}\n"
        "assert not loaded & heavy, loaded & heavy\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, capture_output=True)
