"""Tables as an HTML page or as Markdown, without any dependency."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

STYLE = """
body { font: 15px/1.45 system-ui, sans-serif; color: #1c1c1c; max-width: 60em; margin: 2em auto; padding: 0 1em; }
h1 { font-size: 1.5em; } h2 { font-size: 1.1em; margin: 1.8em 0 .3em; border-bottom: 1px solid #ccc; }
p { margin: .2em 0 .6em; color: #555; }
.wide { overflow-x: auto; }
table { border-collapse: collapse; font-size: .87em; font-variant-numeric: tabular-nums; }
th, td { padding: .22em .7em; text-align: right; border-bottom: 1px solid #e4e4e4; }
tbody td, tbody th { white-space: nowrap; }
th { font-weight: 600; vertical-align: bottom; } tbody th { font-weight: 400; }
tbody th, td.text, th:first-child { text-align: left; } td.long { white-space: normal; }
td.bar { text-align: left; width: 22em; } td.bar span { display: block; height: .8em; background: #0072B2; }
.sign td { width: 16em; height: 2.6em; vertical-align: bottom; text-align: left; border-bottom: 1px solid #333; }
.sign th { padding-top: 1.6em; }
@media print { h2 { break-after: avoid; } }
"""


_LONG = 40
_TINY = 1e-12


class Section(NamedTuple):
    """A table under a heading; with `bars` its one column is drawn."""

    heading: str
    table: pd.DataFrame | None
    note: str = ""
    bars: bool = False


def text_of(value: Any) -> str:
    """Return a value for reading: four significant digits, nothing for NaN and 0 for rounding errors."""
    if value is None or (isinstance(value, (float, np.floating)) and np.isnan(value)):
        return ""
    if isinstance(value, (float, np.floating)):
        value = float(value)
        if abs(value) < _TINY:
            return "0"
        return f"{value:.0f}" if abs(value) >= 1e4 and value == round(value) else f"{value:.4g}"
    return str(value)


def html_page(title: str, sections: Sequence[Section], sign_off: Sequence[str] = ()) -> str:
    """Return a page that holds all it needs."""
    parts = [
        "<!DOCTYPE html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title><style>{STYLE}</style></head>',
        f"<body><h1>{escape(title)}</h1>",
    ]
    for section in sections:
        parts.append(f"<h2>{escape(section.heading)}</h2>")
        if section.note:
            parts.append(f"<p>{escape(section.note)}</p>")
        parts.append(_html_table(section))
    if sign_off:
        lines = "".join(f"<tr><th>{escape(who)}</th><td></td><th>Date</th><td></td></tr>" for who in sign_off)
        parts.append(f'<h2>Sign-off</h2><table class="sign">{lines}</table>')
    parts.append("</body></html>")
    return "\n".join(parts) + "\n"


def _html_table(section: Section) -> str:
    table = section.table
    if table is None:
        return ""
    with_index = not isinstance(table.index, pd.RangeIndex) or table.index.name is not None
    corner = escape(str(table.index.name or ""))
    head = (f"<th>{corner}</th>" if with_index else "") + "".join(
        f"<th>{escape(str(name).strip())}</th>" for name in table.columns
    )
    if section.bars:
        head += "<th></th>"
        longest = max(float(table.to_numpy().max()), 1.0)
    lines = []
    for label, values in zip(table.index, table.itertuples(index=False), strict=True):
        cells = f"<th>{escape(str(label))}</th>" if with_index else ""
        for value in values:
            text = text_of(value)
            kind = "long text" if len(text) > _LONG else "text"
            cells += f'<td class="{kind}">{escape(text)}</td>' if isinstance(value, str) else f"<td>{text}</td>"
        if section.bars:
            cells += f'<td class="bar"><span style="width:{100 * float(values[0]) / longest:.1f}%"></span></td>'
        lines.append(f"<tr>{cells}</tr>")
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def markdown_page(title: str, sections: Sequence[Section], sign_off: Sequence[str] = ()) -> str:
    """Return the same as Markdown."""
    parts = [f"# {title}"]
    for section in sections:
        parts.append(f"## {section.heading}")
        if section.note:
            parts.append(section.note)
        if section.table is not None:
            parts.append(markdown_table(section.table))
    if sign_off:
        parts.append("## Sign-off")
        parts.append("\n\n".join(f"{who}: ______________________  Date: ____________" for who in sign_off))
    return "\n\n".join(parts) + "\n"


def markdown_table(table: pd.DataFrame) -> str:
    """Return a table in Markdown, numbers to the right."""
    with_index = not isinstance(table.index, pd.RangeIndex) or table.index.name is not None
    head = [str(table.index.name or "")] if with_index else []
    head += [str(name).strip() for name in table.columns]
    lines = []
    for label, values in zip(table.index, table.itertuples(index=False), strict=True):
        lines.append(([str(label)] if with_index else []) + [text_of(value) for value in values])
    numeric = [pd.api.types.is_numeric_dtype(kind) for kind in table.dtypes]
    ruler = (["---"] if with_index else []) + ["--:" if right else "---" for right in numeric]
    rows = [head, ruler, *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in row) + " |" for row in rows)
