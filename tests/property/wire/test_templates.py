"""Goal: every section, setting and kind of a template is read as it was written."""

from hypothesis import given
from hypothesis import strategies as st

from hanami_actors.domain.cluster.settings_table import TEMPLATE_SETTINGS
from hanami_actors.domain.cluster.template import TemplatePort
from hanami_actors.domain.cluster.template_parser import INPUT_KINDS, OUTPUT_KINDS, parse_template
from hanami_actors.errors import TemplateError

SECTIONS = {"settings", "hexagons", "axons", "inputs", "outputs"}
NAMES = st.from_regex(r"[a-zA-Z_0-9]{0,10}[a-zA-Z_]", fullmatch=True).filter(
    lambda name: name not in SECTIONS
)
BLANK = st.sampled_from([" ", "\n", "\t", "\r\n", " \n\t "])


def _value(row):
    if row.type == "bool":
        return st.booleans()
    if row.type == "int":
        return st.integers(int(row.min), int(row.max))
    low = row.min * 1.001 if row.above_min else row.min
    return st.floats(low, row.max).map(lambda value: round(value, 6)).filter(lambda v: v > row.min)


SETTINGS = st.lists(
    st.sampled_from(sorted(TEMPLATE_SETTINGS)).flatmap(
        lambda name: st.tuples(st.just(name), _value(TEMPLATE_SETTINGS[name]))
    ),
    min_size=1,
    max_size=6,
)


def _shown(value):
    if isinstance(value, bool):
        return str(value).lower()
    return f"{value:.6f}" if isinstance(value, float) else str(value)


@st.composite
def templates(draw):
    """Return the words of a template and what they mean."""
    length = draw(st.integers(2, 6))
    strangers = draw(st.sets(st.tuples(*[st.integers(50, 60)] * 3), max_size=3))
    row = [(x, 1, 1) for x in range(length)]
    hexagons = [*row, *sorted(strangers)]
    settings = draw(SETTINGS)
    inputs = draw(st.lists(st.tuples(NAMES, st.sampled_from(["", *INPUT_KINDS])), min_size=1))
    outputs = draw(st.lists(st.tuples(NAMES, st.sampled_from(["", *OUTPUT_KINDS])), min_size=1))
    axons = draw(st.lists(st.tuples(*[st.integers(0, len(strangers))] * 2), max_size=3))
    # Between strangers only, so that every output is reached from an input.
    known = [(length + a, length + b) for a, b in axons if max(a, b) < len(strangers)]
    words = ["version: 1", "settings", ":"]
    for name, value in settings:
        words += [name, ":", _shown(value)]
    words += ["hexagons", ":", *map(_position, hexagons)]
    if known:
        words += ["axons", ":"]
        for source, target in known:
            words += [_position(hexagons[source]), "->", _position(hexagons[target])]
    for section, ports, at in (("inputs", inputs, 0), ("outputs", outputs, length - 1)):
        words += [section, ":"]
        for name, kind in ports:
            words += [name, ":", _position(hexagons[at]), *([f"({kind})"] if kind else [])]
    return words, {
        "hexagons": tuple(hexagons),
        "settings": {name: _read(value) for name, value in settings},
        "axons": dict(known),
        "inputs": _ports(inputs, 0),
        "outputs": _ports(outputs, length - 1),
    }


def _position(position):
    return ",".join(map(str, position))


def _read(value):
    return float(f"{value:.6f}") if isinstance(value, float) else value


def _ports(ports, at):
    """Of a repeated name the first one counts."""
    first: dict[str, TemplatePort] = {}
    for name, kind in ports:
        first.setdefault(name, TemplatePort(name=name, hexagon=at, kind=kind or "plain"))
    return tuple(first.values())


@given(templates(), st.data())
def test_what_is_written_is_read(template, data):
    words, meaning = template
    read = parse_template("".join(word + data.draw(BLANK) for word in words))
    assert read.hexagons == meaning["hexagons"]
    assert {axon.source: axon.target for axon in read.axons} == meaning["axons"]
    assert read.inputs == meaning["inputs"]
    assert read.outputs == meaning["outputs"]
    settings = meaning["settings"]
    assert read.seed == settings.pop("seed", None)
    defaults = {name: row.default for name, row in TEMPLATE_SETTINGS.items() if name != "seed"}
    assert dict(read.settings) == defaults | settings


def refusal_of(text: str) -> TemplateError | None:
    try:
        assert parse_template(text).hexagons
    except TemplateError as error:
        return error
    return None


@given(templates(), st.data())
def test_a_template_without_one_of_its_words_is_another_or_refused_with_a_place(template, data):
    words, _ = template
    words.pop(data.draw(st.integers(0, len(words) - 1)))
    text = "\n".join(words)
    refusal = refusal_of(text)
    if refusal is not None:
        lines = text.split("\n")
        assert 1 <= refusal.line <= len(lines)
        assert 1 <= refusal.column <= len(lines[refusal.line - 1]) + 1
        assert refusal.message.isprintable()


@given(st.sampled_from(["9" * 5000, "-" + "9" * 5000, "1." + "0" * 5000]), st.booleans())
def test_a_number_of_thousands_of_digits_is_refused_and_not_computed(number, in_position):
    position = f"{number},1,1" if in_position else "1,1,1"
    seed = "1" if in_position else number
    text = (
        f"version: 1 settings: seed: {seed} hexagons: {position} inputs: a: 1,1,1 outputs: b: 1,1,1"
    )
    refusal = refusal_of(text)
    assert refusal is not None
    assert len(refusal.message) < 400
