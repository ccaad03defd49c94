"""What the documents promise is there, and what is there is documented."""

import os
import re

import pytest

from hanami_actors import errors, settings
from tests.tidy.sources import ROOT

DOCUMENTS = sorted([*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md")])
SCRIPTS = sorted(
    path for path in (ROOT / "scripts").iterdir() if path.is_file() and not path.suffix
)


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_every_setting_is_documented():
    text = read("docs/settings.md")
    missing = [row.name for row in settings.SETTINGS if f"`{row.name}`" not in text]
    assert missing == []


def test_every_error_has_a_docstring_and_stands_in_the_tree():
    for name in errors.__all__:
        assert getattr(errors, name).__doc__, name
        assert name in (errors.__doc__ or ""), name


def test_the_changelog_has_a_place_for_what_is_not_released():
    text = read("CHANGELOG.md")
    assert "\n## Unreleased\n" in text
    assert text.index("## Unreleased") == text.index("## ")


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_links_between_documents_lead_somewhere(path):
    targets = re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", path.read_text(encoding="utf-8"))
    missing = [target for target in targets if not (path.parent / target).exists()]
    assert missing == []


@pytest.mark.parametrize("path", DOCUMENTS, ids=lambda path: path.name)
def test_scripts_that_documents_name_exist(path):
    names = re.findall(r"(?<![\w/])(?:scripts|\.ci)/\w+", path.read_text(encoding="utf-8"))
    missing = [name for name in names if not (ROOT / name).exists()]
    assert missing == []


def test_every_script_is_named_in_the_readme_and_can_be_run():
    text = read("README.md")
    assert SCRIPTS != []
    for path in SCRIPTS:
        assert f"`{path.name}`" in text, path.name
        assert os.access(path, os.X_OK), path.name


def test_every_shell_script_stops_at_undefined_names():
    for path in [*SCRIPTS, ROOT / ".ci" / "run"]:
        text = path.read_text(encoding="utf-8")
        if text.startswith("#!/usr/bin/env bash"):
            assert re.search(r"^set -e?uo pipefail$", text, re.MULTILINE), path.name


def test_the_hook_before_a_commit_runs_what_the_check_knows():
    (entry,) = re.findall(r"entry: (scripts/\w+ \w+)\n", read(".pre-commit-config.yaml"))
    assert f"#   {entry} " in read(entry.split()[0])


def test_the_license_is_complete():
    text = read("LICENSE")
    assert "Apache License" in text
    assert "END OF TERMS AND CONDITIONS" in text
