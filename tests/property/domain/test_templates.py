"""The parser never fails with anything but a template error, and printing is its inverse."""

from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.domain.cluster.settings_table import TEMPLATE_SETTINGS
from hanami_actors.domain.cluster.template_parser import default_template, parse_template
from hanami_actors.domain.cluster.topology import unreachable_output
from hanami_actors.errors import TemplateError

PIECES = st.sampled_from(
    [
        "version: 1", "version", ":", "settings", "hexagons", "axons", "inputs", "outputs", "1,1,1",
        "2,1,1", "3,1,1", ",", "->", "(", ")", "binary", "float", "seed", "-1", "1.5", "true", "\n",
        "\r", "é", '"', "99999999999999999999", *TEMPLATE_SETTINGS,
    ]
)  # fmt: skip

NAMES = st.from_regex(r"[a-z_][a-z_0-9]{0,8}", fullmatch=True).filter(
    lambda name: name not in {"settings", "hexagons", "axons", "inputs", "outputs"}
)


def check_error(text, error):
    lines = text.split("\n")
    assert 1 <= error.line <= len(lines)
    assert 1 <= error.column <= len(lines[error.line - 1]) + 1
    assert error.message.endswith(".")


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map(" ".join)))
def test_any_text_is_understood_or_refused_with_a_place(text):
    try:
        parse_template(text)
    except TemplateError as error:
        check_error(text, error)


@given(st.data())
def test_a_template_with_a_piece_changed_is_understood_or_refused_with_a_place(data):
    text = default_template()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(start + 12, len(text))))
    text = text[:start] + data.draw(PIECES) + text[end:]
    try:
        template = parse_template(text)
    except TemplateError as error:
        check_error(text, error)
    else:
        assert unreachable_output(template) is None


@given(
    length=st.integers(2, 12),
    inputs=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    outputs=st.lists(NAMES, min_size=1, max_size=3, unique=True),
    seed=st.one_of(st.none(), st.integers(0, 2**63 - 1)),
    separator=st.sampled_from(["\n", " ", "\r\n", "\t\n "]),
)
def test_what_is_written_is_read(length, inputs, outputs, seed, separator):
    words = ["version: 1", "settings:", "max_connection_distance: 1"]
    words += [] if seed is None else [f"seed: {seed}"]
    words += ["hexagons:", *(f"{x},1,1" for x in range(length))]
    words += ["inputs:", *(f"{name}: 0,1,1" for name in inputs)]
    words += ["outputs:", *(f"{name}: {length - 1},1,1 (bool)" for name in outputs)]
    template = parse_template(separator.join(words))
    assert template.hexagons == tuple((x, 1, 1) for x in range(length))
    assert [port.name for port in template.inputs] == inputs
    assert [(port.name, port.hexagon, port.kind) for port in template.outputs] == [
        (name, length - 1, "bool") for name in outputs
    ]
    assert template.seed == seed
