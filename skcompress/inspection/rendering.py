"""Tables as an HTML page or as Markdown, without any dependency."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

STYLE = """
.report { font: 15px/1.45 system-ui, sans-serif; color: #1c1c1c; max-width: 62em; margin: 2em auto; padding: 0 1em; }
.report h1 { font-size: 1.5em; }
.report h2 { font-size: 1.1em; margin: 1.8em 0 .3em; border-bottom: 1px solid #ccc; break-after: avoid; }
.report p { margin: .2em 0 .6em; color: #555; break-after: avoid; }
.report .wide { overflow-x: auto; }
.report table { border-collapse: collapse; font-size: .87em; font-variant-numeric: tabular-nums; }
.report th, .report td { padding: .22em .7em; text-align: right; border-bottom: 1px solid #e4e4e4; }
.report td, .report tbody th { vertical-align: top; }
.report tr { break-inside: avoid; }
.report thead th { font-weight: 600; vertical-align: bottom; }
.report tbody th { font-weight: 400; white-space: nowrap; }
.report tbody td { white-space: nowrap; }
.report tbody th, .report .text, .report th:first-child { text-align: left; }
.report td.long { white-space: normal; }
.report td.bar { text-align: left; width: 22em; }
.report td.bar span { display: block; height: .8em; margin-top: .3em; background: #0072B2; }
.report .sign { break-inside: avoid; }
.report .sign td { width: 16em; height: 2.6em; border-bottom: 1px solid #333; }
.report .sign th { padding-top: 1.6em; text-align: left; }
@media print {
  .report { max-width: none; margin: 0; padding: 0; font-size: 11px; }
  .report .wide { overflow: visible; }
  .report th, .report td { padding: .18em .45em; }
}
"""
"""Everything is below one class, so that a report in a notebook leaves the notebook as it is."""

_PAGE = "@page { size: A4; margin: 14mm; }\nbody { margin: 0; }\n"
_LONG = 40
_TINY = 1e-12


class Section(NamedTuple):
    """A table under a heading.

    Attributes
    ----------
    heading : str
        Its heading.
    table : DataFrame or None
        The table.
    note : str
        A line below the heading.
    bars : bool
        Whether its one column is drawn.
    mixed : bool
        Whether the numbers of a column have different units, so that each has its own decimals.
    """

    heading: str
    table: pd.DataFrame | None
    note: str = ""
    bars: bool = False
    mixed: bool = False


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


def cells_of(section: Section) -> list[list[str]]:
    """Return the text of each cell, row by row; the numbers of a column have as many decimals, unless `mixed`."""
    table = section.table
    if table is None:
        return []
    columns = []
    for place in range(table.shape[1]):
        values = list(table.iloc[:, place])
        decimals = None if section.mixed else _decimals(values)
        columns.append([text_of(v) if decimals is None or not _is_number(v) else f"{v:.{decimals}f}" for v in values])
    return [list(row) for row in zip(*columns, strict=True)]


def _is_number(value: Any) -> bool:
    return isinstance(value, (float, np.floating)) and bool(np.isfinite(value))


def _decimals(values: Sequence[Any]) -> int | None:
    """Return the decimals that show four digits of the largest number; None where there is no common number of them."""
    sizes = [abs(float(value)) for value in values if _is_number(value)]
    if not sizes or max(sizes) < _TINY or max(sizes) >= 1e9:
        return None
    if all(size == round(size) for size in sizes):
        return 0
    return max(0, 3 - int(np.floor(np.log10(max(sizes)))))


def html_page(title: str, sections: Sequence[Section], sign_off: Sequence[str] = ()) -> str:
    """Return a page that holds all it needs."""
    head = f'<meta charset="utf-8"><title>{escape(title)}</title><style>{_PAGE}</style>'
    body = html_fragment(title, sections, sign_off)
    return f'<!DOCTYPE html>\n<html lang="en"><head>{head}</head>\n<body>{body}</body></html>\n'


def html_fragment(title: str, sections: Sequence[Section], sign_off: Sequence[str] = ()) -> str:
    """Return the same to stand inside another page, such as a notebook."""
    parts = [f'<style>{STYLE}</style><div class="report"><h1>{escape(title)}</h1>']
    for section in sections:
        parts.append(f"<h2>{escape(section.heading)}</h2>")
        if section.note:
            parts.append(f"<p>{escape(section.note)}</p>")
        parts.append(_html_table(section))
    if sign_off:
        lines = "".join(f"<tr><th>{escape(who)}</th><td></td><th>Date</th><td></td></tr>" for who in sign_off)
        parts.append(f'<h2>Sign-off</h2><table class="sign">{lines}</table>')
    parts.append("</div>")
    return "\n".join(parts)


def _html_table(section: Section) -> str:
    table = section.table
    if table is None:
        return ""
    with_index = _has_index(table)
    kinds = ["text" if text else "" for text in _are_texts(table)]
    head = f"<th>{escape(str(table.index.name or ''))}</th>" if with_index else ""
    head += "".join(_cell("th", kind, str(name)) for name, kind in zip(table.columns, kinds, strict=True))
    longest = 1.0
    if section.bars:
        head += "<th></th>"
        longest = max(float(table.to_numpy().max()), 1.0)
    lines = []
    for place, texts in enumerate(cells_of(section)):
        cells = f"<th>{escape(str(table.index[place]))}</th>" if with_index else ""
        for text, kind in zip(texts, kinds, strict=True):
            cells += _cell("td", f"{kind} long".strip() if len(text) > _LONG else kind, text)
        if section.bars:
            share = 100 * float(table.iloc[place, 0]) / longest
            cells += f'<td class="bar"><span style="width:{share:.1f}%"></span></td>'
        lines.append(f"<tr>{cells}</tr>")
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>{"".join(lines)}</tbody></table></div>'


def _cell(tag: str, kind: str, text: str) -> str:
    return f'<{tag} class="{kind}">{escape(text)}</{tag}>' if kind else f"<{tag}>{escape(text)}</{tag}>"


def _has_index(table: pd.DataFrame) -> bool:
    return not isinstance(table.index, pd.RangeIndex) or table.index.name is not None


def _are_texts(table: pd.DataFrame) -> list[bool]:
    """Return which columns hold texts, which go to the left."""
    return [any(isinstance(value, str) for value in table.iloc[:, place]) for place in range(table.shape[1])]


def markdown_page(title: str, sections: Sequence[Section], sign_off: Sequence[str] = ()) -> str:
    """Return the same as Markdown."""
    parts = [f"# {title}"]
    for section in sections:
        parts.append(f"## {section.heading}")
        if section.note:
            parts.append(section.note)
        if section.table is not None:
            parts.append(markdown_table(section))
    if sign_off:
        parts.append("## Sign-off")
        parts.append("\n\n".join(f"{who}: ______________________  Date: ____________" for who in sign_off))
    return "\n\n".join(parts) + "\n"


def markdown_table(section: Section) -> str:
    """Return a table in Markdown, numbers to the right."""
    table = section.table
    if table is None:
        return ""
    with_index = _has_index(table)
    head = [str(table.index.name or "")] if with_index else []
    head += [str(name) for name in table.columns]
    lines = []
    for place, texts in enumerate(cells_of(section)):
        lines.append(([str(table.index[place])] if with_index else []) + texts)
    ruler = (["---"] if with_index else []) + ["---" if text else "--:" for text in _are_texts(table)]
    rows = [head, ruler, *lines]
    return "\n".join("| " + " | ".join(_one_line(cell) for cell in row) + " |" for row in rows)


def _one_line(cell: str) -> str:
    return " ".join(cell.replace("|", "\\|").split())
