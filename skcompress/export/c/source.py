"""Write a compact model as one file of C99: constant tables, no allocation, no other library than libm.

In floats the linear predictor is a loop over the raw inputs and a statement for each other term. In integers

    codes    x -> q       what is read off the inputs: codes, intervals, levels
    sums     q -> S       the dot product, in integers alone
    linear   S -> eta     one scale and one intercept for each output

Functions of C that the printed expressions call are taken along as far as they are needed.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np

from ...artifact.categories import ABSENT
from ...artifact.reading import Table
from ..base_printer import LINKS
from ..expressions import Minus, Ref, Times
from ..normal_form import NormalForm
from .integers import integer_functions
from .printer import HEADERS, Printer, array, comment, constant, function, index_type, text

HELPERS: dict[str, str] = {
    "skc_any_infinite": """static int skc_any_infinite(const double *x, const uint32_t *places, int n)
{
    for (int j = 0; j < n; j++) if (isinf(x[places[j]])) return 1;
    return 0;
}
""",
    "skc_refuse": """static void skc_refuse(double *out, int n, int refused)
{
    for (int i = 0; i < n; i++) refused |= !isfinite(out[i]);
    if (refused) for (int i = 0; i < n; i++) out[i] = NAN;
}
""",
    "skc_clip": """static double skc_clip(double x, double low, double high)
{
    return x < low ? low : x > high ? high : x;
}
""",
    "skc_square": """static double skc_square(double x)
{
    return x * x;
}
""",
    "skc_sign": """static double skc_sign(double x)
{
    return x != x ? x : (x > 0) - (x < 0);
}
""",
    "skc_interval": """static int skc_interval(double x, const double *edges, int n)
{
    int low = 0, high = n;
    while (low < high) {
        const int middle = (low + high) / 2;
        if (edges[middle] <= x) low = middle + 1; else high = middle;
    }
    return low;
}
""",
    "skc_wrap": """static double skc_wrap(double x, double start, double period)
{
    const double rest = fmod(x - start, period);
    return start + (rest < 0 ? rest + period : rest);
}
""",
    "skc_pieces": """static double skc_pieces(double x, const double *breaks, int n, const double *origins,
                         const double *rows, int order)
{
    const int place = skc_interval(x, breaks, n);
    const double u = x - origins[place];
    double total = 0.0;
    for (int j = order - 1; j >= 0; j--) total = total * u + rows[place * order + j];
    return total;
}
""",
    "skc_place": """static int skc_place(double x, int n)
{
    return x != x ? n + 1 : x >= 0 && x < n ? (int)x : n;
}
""",
    "skc_find": """static int skc_find(double x, const double *levels, int n)
{
    if (x != x) return n + 1;
    for (int i = 0; i < n; i++) if (levels[i] == x) return i;
    return n;
}
""",
}
"""Functions that the expressions call, in an order in which they can stand."""


def needed(written: str) -> str:
    """Return the helpers that what is written calls."""
    wanted = {name for name in HELPERS if f"{name}(" in written}
    if "skc_pieces" in wanted:
        wanted.add("skc_interval")
    return "\n".join(source for name, source in HELPERS.items() if name in wanted)


def to_c(model: Any, *, integer: bool = False, self_test: Any = None, name: str = "model") -> str:
    """Write a model as one file of C99.

    Parameters
    ----------
    model : estimator or CompactLinear
        A CompactLinear, or any fitted model that `compact` takes.
    integer : bool, default=False
        Whether the dot product is made in integers alone. It needs weights that are integer codes with one scale for
        each output, on whole numbers: indicators, intervals, points, or inputs of ``input_bits``.
    self_test : array, frame or sparse matrix, default=None
        Rows that go into the file together with their predictions, and a ``main`` that compares them, compiled with
        ``-DNAME_SELF_TEST``.
    name : str, default="model"
        What all names in the file begin with.

    Returns
    -------
    source : str
        C99 with ``NAME_linear(x, eta)``, ``NAME_predict(x, out)`` and, for a classifier with probabilities,
        ``NAME_predict_proba(x, out)``; with `integer` also ``NAME_codes(x, q)`` and ``NAME_sums(q, sums)``. x holds the
        `inputs` in their order as doubles: NAN where a value is missing (0 for a number that is absent from a mapping),
        and for an input of texts what ``NAME_level_PLACE(text)`` gives. Where the model has no prediction the answer is
        NAN; the answer of a classifier is the place of the label in ``NAME_CLASSES``. Link with ``-lm``.

    Raises
    ------
    ValueError
        If the model holds texts, or `integer` and a term that is no integer; the message names them.

    See Also
    --------
    to_python, to_sql, to_onnx : Other languages.

    Examples
    --------
    >>> from sklearn.linear_model import LinearRegression
    >>> from skcompress import to_c
    >>> source = to_c(LinearRegression().fit([[0.0], [1.0]], [1.0, 3.0]), name="rate")
    >>> "void rate_predict(const double *x, double *out)" in source
    True
    """
    if not isinstance(name, str) or not name.isidentifier() or not name.isascii() or name in _KEYWORDS:
        raise ValueError(f"name must be a name in C, got {name!r}")
    form = NormalForm(model, "C")
    printer = Printer(form, name)
    body = integer_functions(form, printer) if integer else _float_functions(form, printer)
    answers = _answers(form, name)
    test = "" if self_test is None else _self_test(form, printer, self_test)
    written = "\n".join([*printer.tables, body, answers, test])
    parts = [_head(form, name), HEADERS, _constants(form, name), printer.levels(), needed(written), written]
    return "\n".join(part for part in parts if part) + "\n"


_KEYWORDS = """
auto break case char const continue default do double else enum extern float for goto if inline int long register
restrict return short signed sizeof static struct switch typedef union unsigned void volatile while
""".split()  # noqa: SIM905


def _head(form: NormalForm, name: str) -> str:
    lines = [f"A linear model in C99. skcompress model_id: {form.model.model_id}", "", "x, in order:"]
    for place, label in enumerate(form.names):
        by_text = form.value_inputs.get(place, [])
        kind = f", {name}_level_{place}(text)" if any(isinstance(level, str) for level in by_text) else ""
        lines.append(f"  {place} {label}{kind}")
    return comment(lines)


def _constants(form: NormalForm, name: str) -> str:
    upper = name.upper()
    lines = [
        f"#define {upper}_MODEL_ID {text(form.model.model_id)}",
        f"#define {upper}_N_INPUTS {len(form.names)}",
        f"#define {upper}_N_OUTPUTS {len(form.totals)}",
    ]
    if form.model.classes:
        labels = ", ".join(text(str(label)) for label in form.model.classes)
        lines.append(f"#define {upper}_CLASSES {{{labels}}}")
    return "\n".join(lines) + "\n"


def _float_functions(form: NormalForm, printer: Printer) -> str:
    k, name = len(form.names), printer.name
    lines: list[str] = []
    raw: list[dict[int, float]] = []
    offsets: dict[int, float] = {}
    for place, total in enumerate(form.totals):
        by_input: dict[int, float] = {}
        for term in total.floats:
            factor, part = (term.factor, term.part) if isinstance(term, Times) else (1.0, term)
            inside = part.part if isinstance(part, Minus) else part
            if isinstance(inside, Ref) and inside.column < k:
                by_input[inside.column] = factor
                offsets[inside.column] = part.offset if isinstance(part, Minus) else 0.0
            else:
                lines.append(f"eta[{place}] += {printer.of(term)};")
        if total.integers:
            whole = " + ".join(printer.of(term) for term in total.integers)
            lines.append(f"eta[{place}] += {constant(total.scale)} * ({whole});")
        raw.append(by_input)
    loop = _loop(printer, raw, offsets, [total.intercept for total in form.totals])
    refused = printer.is_infinite(form.readers.to_check()) or "0"
    columns = printer.columns(used_in=[*lines, refused])
    body = [*columns, *loop, *lines, f"skc_refuse(eta, {len(form.totals)}, {refused});"]
    unused = [] if any(re.search(r"\bx\b", line) for line in body) else ["(void)x;"]
    return function(f"void {name}_linear(const double *x, double *eta)", [*unused, *body])


def _loop(
    printer: Printer, raw: Sequence[dict[int, float]], offsets: dict[int, float], intercepts: Sequence[float]
) -> list[str]:
    """Return the dot product of the raw inputs."""
    m, places = len(raw), sorted(offsets)
    start = printer.table("double", intercepts)
    if not places:
        return [f"for (int i = 0; i < {m}; i++) eta[i] = {start}[i];"]
    weights = printer.table("double", [by_input.get(place, 0.0) for by_input in raw for place in places])
    every = len(places) == len(printer.form.names)
    at = "j" if every else f"{printer.table(index_type(max(places)), places)}[j]"
    value = f"x[{at}]"
    if any(offsets.values()):
        value = f"({value} - {printer.table('double', [offsets[place] for place in places])}[j])"
    return [
        f"for (int i = 0; i < {m}; i++) {{",
        f"    double sum = {start}[i];",
        f"    for (int j = 0; j < {len(places)}; j++) sum += {weights}[i * {len(places)} + j] * {value};",
        "    eta[i] = sum;",
        "}",
    ]


def _answers(form: NormalForm, name: str) -> str:
    """Return the functions from the linear predictor to the answers."""
    model, m = form.model, len(form.totals)
    head = f"void {name}_predict(const double *x, double *out)"
    linear = [f"double eta[{m}];", f"{name}_linear(x, eta);"]
    if not model.classes:
        check = [f"skc_refuse(out, {m}, 0);"] if not LINKS[model.link].is_bounded else []
        return function(head, [f"{name}_linear(x, out);", *LINKS[model.link].c.format(m=m).splitlines(), *check])
    if m == 1:
        label = ["out[0] = eta[0] != eta[0] ? NAN : eta[0] > 0;"]
    else:
        label = [
            "int best = 0;",
            f"for (int i = 1; i < {m}; i++) if (eta[i] > eta[best]) best = i;",
            "out[0] = eta[best] != eta[best] ? NAN : best;",
        ]
    written = function(head, [*linear, *label])
    if model.link == "identity":
        return written
    head = f"void {name}_predict_proba(const double *x, double *out)"
    if m == 1:
        two = [*linear, *LINKS["logit"].c.replace("out[i]", "eta[i]").format(m=1).splitlines()]
        return written + "\n" + function(head, [*two, "out[0] = 1.0 - eta[0];", "out[1] = eta[0];"])
    shares = [f"{name}_linear(x, out);", *LINKS[model.link].c.format(m=m).splitlines()]
    if model.link != "softmax":
        shares += ["double all = 0.0;", f"for (int i = 0; i < {m}; i++) all += out[i];"]
        shares += [f"for (int i = 0; i < {m}; i++) out[i] /= all;"]
    return written + "\n" + function(head, shares)


TOLERANCE = 1e-9
"""The most that the linear predictor may differ, relative to 1 + its size."""


def _self_test(form: NormalForm, printer: Printer, X: Any) -> str:
    """Return the rows, their linear predictors, and the main function."""
    expected = form.model.linear_predictor(X)
    rows = encoded(form, printer, X)
    n, k, m = len(rows), rows.shape[1], expected.shape[1]
    name = printer.name
    inputs, answers = f"{name}_rows", f"{name}_expected"
    tables = [array("double", inputs, rows.ravel().tolist()), array("double", answers, expected.ravel().tolist())]
    written = "\n".join(tables)
    return f"""
#ifdef {name.upper()}_SELF_TEST
{written}

int main(void)
{{
    double worst = 0.0;
    for (int row = 0; row < {n}; row++) {{
        double eta[{m}];
        {name}_linear({inputs} + row * {k}, eta);
        for (int i = 0; i < {m}; i++) {{
            const double expected = {answers}[row * {m} + i];
            const double off = fabs(eta[i] - expected) / (1.0 + fabs(expected));
            if (worst == worst && !(off <= worst)) worst = off;
        }}
    }}
    printf("{name} {form.model.model_id}: %d rows, largest difference %.3g\\n", {n}, worst);
    return worst <= {TOLERANCE} ? 0 : 1;
}}
#endif"""


def encoded(form: NormalForm, printer: Printer, X: Any) -> np.ndarray:
    """Return rows as the C file reads them, shape (n, k)."""
    table = Table(X, form.model.reads)
    out = np.full((table.n_rows, len(form.names)), np.nan)
    for place in range(len(form.names)):
        if place in form.value_inputs:
            out[:, place] = [printer.code_of(place, _plain(value)) for value in table.values(place)]
        else:
            out[:, place] = table.numbers(place)
    return out


def _plain(value: Any) -> Any:
    return value if value is None or value is ABSENT or isinstance(value, (str, int, float)) else float("nan")
