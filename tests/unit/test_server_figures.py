"""The tables of the benchmarks: targets, how figures are shown, where they stand in the docs."""

import json
from argparse import ArgumentParser

import pytest

from benchmarks import server_figures as figures

PAGE = (
    "# Title\n\n<!-- api: written by scripts/bench api --docs -->\n\nold\n\n<!-- end -->\n\nrest\n"
)


@pytest.mark.parametrize(
    ("value", "targets", "target", "verdict"),
    [
        (2499.9, {"at_least": 2500.0}, "≥ 2,500", "MISSED"),
        (2500.0, {"at_least": 2500.0}, "≥ 2,500", "met"),
        (10.0, {"at_most": 10.0}, "≤ 10", "met"),
        (10.01, {"at_most": 10.0}, "≤ 10", "MISSED"),
        (10.0, {}, "", ""),
    ],
)
def test_a_figure_is_held_against_its_target(value, targets, target, verdict):
    row = figures.Row(name="x", value=value, unit="ms", **targets)
    assert (row.target, row.verdict) == (target, verdict)


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [(3607.4, "/s", "3,607/s"), (12.34, "ms", "12.3 ms"), (0.123, "", "0.12"), (100.0, "", "100")],
)
def test_figures_are_shown_with_the_digits_that_mean_something(value, unit, shown):
    assert figures.Row(name="x", value=value, unit=unit).shown == shown


def test_only_the_table_of_the_benchmark_is_replaced():
    rows = [figures.Row(name="login", value=31.0, unit="ms", at_most=30.0)]
    page = figures.write_table(PAGE, "api", "a machine", rows)
    assert page.startswith("# Title\n")
    assert page.endswith("<!-- end -->\n\nrest\n")
    assert "old" not in page
    assert "a machine." in page
    assert "| login | 31.0 ms | ≤ 30 | MISSED |" in page
    assert figures.write_table(page, "api", "a machine", rows) == page


def test_a_page_without_the_place_for_the_table_is_left_alone():
    with pytest.raises(SystemExit, match="no place"):
        figures.write_table(PAGE, "direct", "a machine", [])


def test_rows_are_printed_as_json_on_request(capsys):
    parser = ArgumentParser()
    figures.add_options(parser)
    rows = [figures.Row(name="login", value=31.0, unit="ms", at_most=30.0)]
    figures.report("api", rows, parser.parse_args(["--json"]))
    printed = json.loads(capsys.readouterr().out)
    assert printed["rows"][0]["value"] == 31.0


def test_the_page_has_a_place_for_every_table():
    page = figures.PAGE.read_text(encoding="utf-8")
    for section in ("api", "direct", "server"):
        assert "x." in figures.write_table(page, section, "x", [])
