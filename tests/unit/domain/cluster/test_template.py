"""The language of templates, its errors, and the table of settings."""

from pathlib import Path

import pytest

from hanami_actors.domain.cluster.settings_table import (
    TEMPLATE_SETTINGS,
    check_setting,
    default_settings,
    render_markdown,
)
from hanami_actors.domain.cluster.template import Axon, TemplatePort
from hanami_actors.domain.cluster.template_parser import (
    HEXAGON_COUNT_MAX,
    PORT_COUNT_MAX,
    default_template,
    parse_template,
)
from hanami_actors.errors import TemplateError

DOCUMENT = Path(__file__).parents[4] / "docs" / "templates.md"

FULL = """version: 1
settings:
    neuron_cooldown: 10000000.0
    refractory_time: 2
    max_connection_distance: 1
    enable_reduction: True
    seed: 42
    replay_memory: 0
hexagons:
    1,1,1
    3 , 1,1
    4,1,1
axons:
    1,1,1 -> 3,1,1
inputs:
    seed: 1,1,1 (binary)
    float: 1,1,1(match)
outputs:
    bool: 4,1,1 ( int )
    label_2: 4,1,1
"""


def changed(old, new, text=None):
    text = text or default_template()
    assert old in text
    return text.replace(old, new)


def error_of(text):
    with pytest.raises(TemplateError) as caught:
        parse_template(text)
    return caught.value


def test_everything_of_the_language_is_understood():
    template = parse_template(FULL)
    assert template.hexagons == ((1, 1, 1), (3, 1, 1), (4, 1, 1))
    assert template.axons == (Axon(source=0, target=1),)
    assert template.inputs == (
        TemplatePort(name="seed", hexagon=0, kind="binary"),
        TemplatePort(name="float", hexagon=0, kind="match"),
    )
    assert template.outputs == (
        TemplatePort(name="bool", hexagon=2, kind="int"),
        TemplatePort(name="label_2", hexagon=2),
    )
    settings = dict(template.settings)
    assert template.seed == 42
    assert "seed" not in settings
    assert settings["neuron_cooldown"] == 1e7
    assert settings["enable_reduction"] is True
    assert settings["replay_memory"] == 0
    assert settings["replays_per_cycle"] == TEMPLATE_SETTINGS["replays_per_cycle"].default
    assert list(settings) == sorted(settings)


def test_line_breaks_have_no_meaning():
    expected = parse_template(FULL)
    assert parse_template(FULL.replace("\n", " ")) == expected
    assert parse_template(FULL.replace("\n", "\r\n")) == expected
    assert parse_template("\n\t" + FULL.replace("version: 1", "version:1")) == expected


def test_the_empty_text_has_no_hexagons_but_complete_settings():
    template = parse_template("")
    assert template.hexagons == ()
    assert dict(template.settings) == default_settings()


def test_the_default_template_is_input_hidden_output_in_a_row():
    template = parse_template(default_template())
    assert template.hexagons == ((1, 1, 1), (2, 1, 1), (3, 1, 1))
    assert template.inputs == (TemplatePort(name="input", hexagon=0),)
    assert template.outputs == (TemplatePort(name="output", hexagon=2),)
    assert template.seed is None
    assert dict(template.settings) == default_settings()


def test_a_name_of_a_setting_or_kind_or_part_of_a_section_may_name_an_input():
    for name in ("seed", "float", "binary", "true", "version", "inputs_2", "neuron_cooldown", "1a"):
        text = changed("input: 1", f"{name}: 1")
        assert parse_template(text).inputs[0].name == name


def test_repeated_settings_and_axons_count_last_and_repeated_names_first():
    template = parse_template(
        changed("_distance: 1", "_distance: 3\nmax_connection_distance: 2").replace(
            "input: 1,1,1", "input: 1,1,1 input: 2,1,1 (binary)"
        )
    )
    assert dict(template.settings)["max_connection_distance"] == 2
    assert template.inputs == (TemplatePort(name="input", hexagon=0),)
    axons = "axons: 1,1,1 -> 2,1,1 1,1,1 -> 3,1,1\ninputs:"
    assert parse_template(changed("inputs:", axons)).axons == (Axon(source=0, target=2),)


@pytest.mark.parametrize(
    ("text", "line", "column", "named"),
    [
        (changed("version: 1", "version:  1"), 1, 1, "expected 'version: 1'"),
        (changed("version: 1", "version : 1"), 1, 1, "expected 'version: 1'"),
        (changed("version: 1", "version: 2"), 1, 1, "expected 'version: 1'"),
        (changed("version: 1", "version: 1.5"), 1, 1, "expected 'version: 1'"),
        (changed("version: 1\n", ""), 1, 1, "expected 'version: 1'"),
        (" \n", 2, 1, "ends too early"),
        ("version: 1\n", 2, 1, "expected 'settings:'"),
        (changed("    max_connection_distance: 1\n", ""), 3, 1, "Unexpected 'hexagons'; .* a name"),
        (changed("    output: 3,1,1\n", ""), 11, 1, "ends too early; expected a name"),
        (changed("outputs:\n", ""), 11, 1, "ends too early; expected 'outputs:'"),
        (changed("2,1,1", "2,1,"), 7, 6, "Unexpected ','"),
        (changed("2,1,1", "2,1,x"), 6, 9, "Unexpected 'x'; expected a whole number"),
        (changed("2,1,1", "2.5,1,1"), 6, 5, r"Unexpected '2\.5'"),
        (changed("output:", "out$put:"), 11, 8, r"Invalid character '\$'; expected ':'"),
        (changed("3,1,1\n", "3,1,1\r"), 7, 10, r"Invalid character '\\r'"),
        (changed("input: 1", '"input": 1'), 9, 5, "Invalid character '\"'"),
        (changed("input: 1", "12: 1"), 9, 5, "Unexpected '12'; expected a name"),
        (changed("input: 1", "outputs: 1"), 9, 5, "Unexpected 'outputs'; expected a name"),
        (default_template() + "settings:", 12, 1, "the end of the template"),
        (changed("inputs:", "axons:\n1,1,1 - 3,1,1\ninputs:"), 9, 7, "expected '->'"),
        (changed("input: 1,1,1", "input: 1,1,1 (binary"), 10, 1, r"expected '\)'"),
        (changed("hexagons:", "hexagon:"), 4, 1, r"'hexagon' is not known.* 'hexagons:'"),
    ],
)
def test_syntax_errors_say_where_they_are_and_what_was_expected(text, line, column, named):
    error = error_of(text)
    assert (error.line, error.column) == (line, column)
    with pytest.raises(TemplateError, match=named):
        raise error


@pytest.mark.parametrize(
    ("text", "line", "column", "named"),
    [
        (changed("2,1,1", "1,1,1"), 6, 5, "1,1,1 already exists"),
        (changed("2,1,1", "2,-1,1"), 6, 7, "-1 is outside"),
        (changed("2,1,1", "2,2147483648,1"), 6, 7, "2147483648 is outside"),
        (changed("2,1,1", f"2,{'9' * 5000},1"), 6, 7, "is outside"),
        (changed("input: 1,1,1", "input: 1,7,1"), 9, 12, "Hexagon of input 'input' .* 1,7,1"),
        (changed("output: 3,1,1", "output: 3,7,1"), 11, 13, "Hexagon of output 'output'"),
        (changed("inputs:", "axons: 9,1,1 -> 3,1,1 inputs:"), 8, 8, "Source hexagon .* 9,1,1"),
        (changed("inputs:", "axons: 1,1,1 -> 9,1,1 inputs:"), 8, 17, "Target hexagon .* 9,1,1"),
        (changed("input: 1", "x" * 255 + ": 1"), 9, 5, "255 characters; at most 254"),
        (changed("input: 1,1,1", "input: 1,1,1 (bool)"), 9, 19, r"known kinds are \(binary\)"),
        (
            changed("output: 3,1,1", "output: 3,1,1 (match)"),
            11,
            20,
            r"\(bool\), \(int\), \(float\)",
        ),
        (changed("_distance: 1", "_distance: 0"), 3, 30, "is 0; it must be a whole number in 1"),
        (changed("_distance: 1", "_distance: 1.0"), 3, 30, "it must be a whole number"),
        (changed("_distance: 1", "_distance: true"), 3, 30, "is true; it must be"),
        (changed("_distance: 1", "_distance: many"), 3, 30, "'many' of a setting is neither"),
        (changed("_distance: 1", f"_distance: {'1' * 5000}"), 3, 30, "too many digits"),
        (changed("max_connection_distance: 1", "neuron_cooldown: 1"), 3, 22, r"larger than 1\.0"),
        (changed("max_connection_distance", "hidden_neurons"), 3, 5, "replay_memory, "),
        (changed("output: 3", "output: 1"), 11, 5, "share the hexagon 1,1,1"),
        (changed("2,1,1", "2,5,5"), 11, 5, "cannot be reached from any input"),
    ],
)
def test_what_has_no_meaning_is_refused_with_its_place(text, line, column, named):
    error = error_of(text)
    assert (error.line, error.column) == (line, column)
    with pytest.raises(TemplateError, match=named):
        raise error


def test_an_unknown_setting_lists_all_that_are_known():
    error = error_of(changed("max_connection_distance", "hidden_neurons"))
    assert error.expected == tuple(sorted(TEMPLATE_SETTINGS))


def test_there_are_limits_to_hexagons_and_ports():
    hexagons = "\n".join(f"{x},1,1" for x in range(4, HEXAGON_COUNT_MAX + 2))
    assert "at most 1000 hexagons" in error_of(changed("inputs:", f"{hexagons}\ninputs:")).message
    ports = "\n".join(f"p{index}: 1,1,1" for index in range(PORT_COUNT_MAX + 1))
    assert "at most 1000 inputs" in error_of(changed("input: 1,1,1", ports)).message


def test_whole_numbers_are_taken_for_floats_and_nothing_else_is_converted():
    assert check_setting("neuron_cooldown", 2) == 2.0
    assert isinstance(check_setting("neuron_cooldown", 2), float)
    for name, value in (("neuron_cooldown", True), ("enable_reduction", 1), ("seed", 1.0)):
        with pytest.raises(TemplateError):
            check_setting(name, value)
    with pytest.raises(TemplateError, match="not known"):
        check_setting("nothing", 1)


def test_every_default_is_inside_its_own_limits():
    for name, value in default_settings().items():
        assert check_setting(name, value) == value


def test_the_documentation_shows_the_table_of_settings():
    text = DOCUMENT.read_text(encoding="utf-8")
    shown = text.split("settings_table.py -->\n")[1].split("<!-- settings: end -->")[0]
    assert shown == render_markdown()


def test_the_template_in_the_documentation_is_valid():
    block = DOCUMENT.read_text(encoding="utf-8").split("```")[1].lstrip("\n")
    assert [port.name for port in parse_template(block).outputs] == ["label"]
