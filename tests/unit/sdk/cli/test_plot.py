"""Pictures of how a cluster learned: what is in them, where they go, what is refused."""

from xml.etree import ElementTree as ET

import pytest

from hanami_sdk.cli.drawing import Series, draw, write_picture

SVG = "{http://www.w3.org/2000/svg}"
HEADER = ["time", "task_uuid", "cycle", "trained_cycles", "running_error", "blocks", "sections"]


def rows(count):
    return [
        ["now", "t", 100 * n, 100 * n, 1 / n, 1 + n // 3, 200 + 10 * n] for n in range(1, 1 + count)
    ]


@pytest.fixture
def learned(server, tmp_path, monkeypatch):
    """A server whose cluster has seven points of history; pictures go to a fresh directory."""
    server.answer("GET", "cluster/history", {"header": HEADER, "body": rows(7)})
    monkeypatch.chdir(tmp_path)
    return server


def texts(root):
    return [element.text for element in root.iter(f"{SVG}text")]


def points(line):
    return [tuple(map(float, pair.split(","))) for pair in line.get("points").split(" ")]


def test_error_blocks_and_sections_are_drawn_over_trained_cycles(learned, hanamictl, tmp_path):
    outcome = hanamictl("cluster", "plot", "c", "-f", "curve.svg", "-j")
    assert outcome.status == 0, outcome
    assert '"points": 7' in outcome.out
    assert '"trained_cycles": 700' in outcome.out
    root = ET.fromstring((tmp_path / "curve.svg").read_text(encoding="utf-8"))
    titles = [text for text in texts(root) if text and "by trained cycles" in text]
    assert [title.split(" ")[0] for title in titles] == ["Running", "Blocks", "Sections"]
    lines = [points(line) for line in root.iter(f"{SVG}polyline")]
    assert [len(line) for line in lines] == [7, 7, 7]
    error, blocks, sections = ([y for _, y in line] for line in lines)
    assert error == sorted(error)  # downwards on the page: the error falls
    assert blocks == sorted(blocks, reverse=True)
    assert sections == sorted(sections, reverse=True)
    assert [x for x, _ in lines[0]] == [x for x, _ in lines[2]]


def test_the_whole_history_is_asked_for_and_the_file_is_named_after_the_cluster(
    learned, hanamictl, tmp_path
):
    assert hanamictl("cluster", "plot", "c").status == 0
    assert learned.call("GET", "cluster/history").query == "uuid=c&number_of_rows=10000"
    assert (tmp_path / "c.svg").exists()


def test_one_task_alone_can_be_drawn(learned, hanamictl):
    assert hanamictl("cluster", "plot", "c", "-t", "t").status == 0
    query = learned.call("GET", "cluster/history").query
    assert query == "uuid=c&number_of_rows=10000&task_uuid=t"


def test_a_cluster_that_learned_nothing_has_no_picture(server, hanamictl, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    server.answer("GET", "cluster/history", {"header": HEADER, "body": []})
    outcome = hanamictl("cluster", "plot", "c")
    assert (outcome.status, "c has learned nothing yet" in outcome.out) == (1, True)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("name", ["curve.jpg", "curve", "curve.svg.gz"])
def test_another_kind_of_picture_is_refused(learned, hanamictl, tmp_path, name):
    outcome = hanamictl("cluster", "plot", "c", "-f", name)
    assert (outcome.status, "must end in .svg or .png" in outcome.out) == (1, True)
    assert not list(tmp_path.iterdir())


def test_a_directory_that_is_missing_is_named(learned, hanamictl):
    outcome = hanamictl("cluster", "plot", "c", "-f", "missing/curve.svg")
    assert (outcome.status, outcome.out) == (
        1,
        "open missing/curve.svg: no such file or directory\n",
    )


def test_png_without_its_library_is_refused_with_the_way_out(learned, hanamictl, tmp_path):
    try:
        import cairosvg  # type: ignore[import-not-found]  # noqa: F401
    except ImportError:
        outcome = hanamictl("cluster", "plot", "c", "-f", "curve.png")
        assert outcome.status == 1
        assert "PNG needs the Python package cairosvg" in outcome.out
        assert not list(tmp_path.iterdir())
    else:
        assert hanamictl("cluster", "plot", "c", "-f", "curve.png").status == 0
        assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")


def test_png_is_made_by_the_library_where_it_is_installed(tmp_path, monkeypatch):
    """A module of that name that gives back what it gets stands for the library."""
    code = "def svg2png(*, bytestring, scale):\n    return b'made ' + bytestring\n"
    (tmp_path / "cairosvg.py").write_text(code)
    monkeypatch.syspath_prepend(str(tmp_path))
    panels = {"error": [Series("error", [0.0, 1.0], [1.0, 0.5])]}
    write_picture(tmp_path / "curve.PNG", panels)
    assert (tmp_path / "curve.PNG").read_bytes() == b"made " + draw(panels).encode()


@pytest.mark.parametrize(
    ("x", "y"),
    [
        ([5.0], [0.25]),
        ([0.0], [0.0]),
        ([0.0, 0.0], [0.0, 0.0]),
        ([1.0, 2.0], [3.0, 3.0]),
        ([0.0, 1e9], [1e-9, 1e9]),
    ],
)
def test_a_line_of_one_point_or_without_height_is_drawn_inside_of_the_page(x, y):
    root = ET.fromstring(draw({"a < b": [Series("x & y", x, y)]}))
    assert {"a < b", "x & y"} <= set(texts(root))
    width, height = float(root.get("width", "0")), float(root.get("height", "0"))
    for circle in root.iter(f"{SVG}circle"):
        assert 0 < float(circle.get("cx", "0")) < width
        assert 0 < float(circle.get("cy", "0")) < height


def test_long_lines_have_no_dots():
    x = [float(n) for n in range(500)]
    root = ET.fromstring(draw({"error": [Series("error", x, x)]}))
    assert not list(root.iter(f"{SVG}circle"))
    assert len(points(next(root.iter(f"{SVG}polyline")))) == 500
