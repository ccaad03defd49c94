"""Rules of the repository that linters do not know."""

import ast
import re

from tests.tidy.sources import FOLDERS, PACKAGES, ROOT, Source, sources, sources_of

CODE_LINES_MAX = 280
TEST_CODE_LINES_MAX = 330
FUNCTION_LINES_MAX = 70

# Put together, so that this file keeps its own rule.
LEFTOVERS = re.compile(
    r"\b(TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK|NotImplemented" + r"Error)\b"
)


def test_every_folder_has_sources():
    assert {source.folder for source in sources()} == set(FOLDERS)


def test_no_file_has_more_code_than_one_can_keep_in_mind():
    too_long = {
        source.name: count
        for source in sources()
        if (count := source.code_line_count())
        > (TEST_CODE_LINES_MAX if source.folder == "tests" else CODE_LINES_MAX)
    }
    assert too_long == {}


def test_imports_exports_texts_and_blank_lines_are_no_code():
    text = (
        '"""What it is."""\n\nimport a\nfrom b import (\n    c,\n)\n\n__all__ = [\n    "d",\n]\n\n'
        '# Why.\nd = """\ntwo\n"""\n"""What d is."""\n\n\ndef e():\n    """Return."""\n\n'
        "    return (\n        1\n        # Because.\n    )\n"
    )
    # The three of d, the head of e, and three of its answer.
    assert Source(ROOT / "x.py", text, ast.parse(text)).code_line_count() == 7


def test_no_function_is_longer_than_70_lines():
    too_long = {
        f"{source.name}:{node.lineno} {node.name}": count
        for source in sources()
        if source.folder != "tests" and not source.is_kernel
        for node in source.functions()
        if (count := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert too_long == {}


def test_nothing_is_left_for_later():
    found = [
        f"{source.name}:{number} {line.strip()}"
        for source in sources()
        for number, line in enumerate(source.text.splitlines(), 1)
        if LEFTOVERS.search(line)
    ]
    assert found == []


def test_no_handler_catches_everything():
    found = [
        f"{source.name}:{node.lineno}"
        for source in sources()
        for node in ast.walk(source.tree)
        if isinstance(node, ast.ExceptHandler) and _catches_everything(node.type)
    ]
    assert found == []


def _catches_everything(caught: ast.expr | None) -> bool:
    if caught is None:
        return True
    names = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(isinstance(name, ast.Name) and name.id == "Exception" for name in names)


def test_every_module_has_a_docstring():
    documented = sources_of(*PACKAGES, "benchmarks", "scripts")
    assert [source.name for source in documented if not ast.get_docstring(source.tree)] == []


def test_every_module_names_what_it_exports():
    missing = [
        source.name
        for source in sources_of(*PACKAGES)
        if not _holds_only_constants(source.tree) and "__all__" not in _assigned_names(source.tree)
    ]
    assert missing == []


def _holds_only_constants(tree: ast.Module) -> bool:
    # A table of numbers exports every one of them; there is nothing to choose.
    return all(isinstance(node, ast.Expr | ast.Assign | ast.AnnAssign) for node in tree.body)


def _assigned_names(tree: ast.Module) -> set[str]:
    return {
        target.id
        for node in tree.body
        if isinstance(node, ast.Assign | ast.AnnAssign)
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }


def test_every_folder_of_a_package_is_a_package():
    missing = {
        str(path.parent.relative_to(ROOT))
        for name in PACKAGES
        for path in (ROOT / name).rglob("*.py")
        if not (path.parent / "__init__.py").exists()
    }
    assert missing == set()
