"""The endpoint table for people: a page that needs no other host and no script, and Markdown."""

from collections.abc import Sequence
from html import escape
from typing import Any

from hanami_actors import __version__
from hanami_actors.api.table.endpoint import PREFIXES, Endpoint
from hanami_actors.api.table.fields import PATTERN_RULES
from hanami_actors.api.table.openapi import errors_of_row, schemas_of

__all__ = ["render_markdown_table", "render_page"]

STYLE = """\
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem;
  color: #1c1e21; background: #fff }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin: 2rem 0 .5rem }
code { font: 0.9em ui-monospace, monospace }
details { border: 1px solid #ccd0d5; border-radius: 6px; margin: .4rem 0; padding: .4rem .8rem }
summary { cursor: pointer } summary .summary { color: #606770 }
.method { display: inline-block; min-width: 4.2rem; font-weight: 600 }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 }
th, td { border-bottom: 1px solid #e4e6eb; padding: .25rem .5rem; text-align: left;
  vertical-align: top }
th { font-weight: 600 }
@media (prefers-color-scheme: dark) {
  body { color: #e4e6eb; background: #18191a }
  details { border-color: #3a3b3c } th, td { border-color: #3a3b3c }
  summary .summary { color: #b0b3b8 }
}
"""


def render_page(rows: Sequence[Endpoint]) -> str:
    """Return the page.

    Parameters
    ----------
    rows : sequence of Endpoint
    """
    schemas = schemas_of(rows)
    groups: dict[str, list[Endpoint]] = {}
    for row in rows:
        groups.setdefault(row.path.partition("/")[0], []).append(row)
    sections = []
    for name, members in sorted(groups.items()):
        entries = "\n".join(_entry(row, schemas) for row in members)
        sections.append(f"<h2>{escape(name)}</h2>\n{entries}")
    prefixes = " or ".join(f"<code>{prefix}</code>" for prefix in PREFIXES)
    return f"""<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>hanami_actors {__version__}</title>
<style>
{STYLE}</style>
</head>
<body>
<h1>hanami_actors {__version__}</h1>
<p>Paths begin with {prefixes}. Log in with <code>POST token</code> and send the token as the
header <code>X-Auth-Token</code>. Fields go into the query, those of POST and PUT into a JSON body.
Errors are plain text; <code>Accept: application/json</code> turns them into problem documents.
Also as <a href="/openapi.json">OpenAPI</a>.</p>
{chr(10).join(sections)}
</body>
</html>
"""


def render_markdown_table(rows: Sequence[Endpoint]) -> str:
    """Return the table of ``docs/api.md``.

    Parameters
    ----------
    rows : sequence of Endpoint
    """
    lines = ["| method | path | what it does | roles | errors |", "|---|---|---|---|---|"]
    for row in sorted(rows, key=lambda row: (row.path, row.method)):
        path = "<br>".join(f"`{path}`" for path in (row.path, *row.aliases))
        statuses = ", ".join(str(status) for status in _statuses(row))
        summary = row.summary.replace("|", "\\|")
        lines.append(f"| {row.method} | {path} | {summary} | {_roles(row)} | {statuses} |")
    return "\n".join(lines) + "\n"


def _entry(row: Endpoint, schemas: dict[str, Any]) -> str:
    schema = schemas[row.request.__name__]
    errors = "".join(
        f"<tr><td>{error.status}</td><td>{escape(_first_line(error))}</td></tr>"
        for error in errors_of_row(row)
    )
    aliases = "".join(f"<p>Also <code>{escape(alias)}</code>.</p>" for alias in row.aliases)
    replies = ", ".join(kind.__name__ for kind in (row.reply, *row.other_replies))
    return f"""<details id="{row.name}">
<summary><span class="method">{row.method}</span> <code>{escape(row.path)}</code>
<span class="summary">{escape(row.summary)}</span></summary>
<p>For: {escape(_roles(row))}.</p>{aliases}
<p>{escape(schema.get("description", ""))}</p>
{_fields("Request", schema)}
<p>Answer: {escape(replies)}, {escape(", ".join(row.content_types))}</p>
{_reply_fields(row, schemas)}
<table><tr><th>Error</th><th>When</th></tr>{errors}</table>
</details>"""


def _reply_fields(row: Endpoint, schemas: dict[str, Any]) -> str:
    kinds = [kind for kind in (row.reply, *row.other_replies) if kind.__name__ in schemas]
    return "\n".join(_fields(kind.__name__, schemas[kind.__name__]) for kind in kinds)


def _fields(title: str, schema: dict[str, Any]) -> str:
    fields = schema.get("properties", {})
    if not fields:
        return ""
    required = schema.get("required", ())
    lines = "".join(
        f"<tr><td><code>{escape(name)}</code></td>"
        f"<td>{'yes' if name in required else 'no'}</td>"
        f"<td>{escape(_rule(field))}</td></tr>"
        for name, field in fields.items()
    )
    return f"<table><tr><th>{escape(title)}</th><th>Required</th><th>Rule</th></tr>{lines}</table>"


def _rule(field: dict[str, Any]) -> str:
    if "$ref" in field:
        return str(field["$ref"]).rpartition("/")[2]
    if "anyOf" in field:
        return " or ".join(_rule(part) for part in field["anyOf"])
    parts = [str(field.get("type", "anything"))]
    if "prefixItems" in field:
        parts.append(f"of {' and '.join(_rule(part) for part in field['prefixItems'])}")
    elif field.get("items"):
        parts.append(f"of {_rule(field['items'])}")
    if "pattern" in field:
        parts.append(PATTERN_RULES.get(field["pattern"], f"matching {field['pattern']}"))
    for low, high, unit in (
        ("minimum", "maximum", ""),
        ("minLength", "maxLength", " characters"),
        ("minItems", "maxItems", " entries"),
    ):
        if low in field or high in field:
            parts.append(f"{field.get(low, '…')} to {field.get(high, '…')}{unit}")
    if "default" in field:
        parts.append(f"default {field['default']}")
    return ", ".join(parts)


def _roles(row: Endpoint) -> str:
    if row.access.is_open:
        return "everybody, without a token"
    roles = ", ".join(row.access.roles)
    return f"{roles} (admins only)" if row.requires_admin else roles


def _statuses(row: Endpoint) -> list[int]:
    return sorted({error.status for error in errors_of_row(row)})


def _first_line(kind: type[object]) -> str:
    return (kind.__doc__ or "").strip().partition("\n")[0]
