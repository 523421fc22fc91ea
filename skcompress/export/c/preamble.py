"""Functions of C that the printed expressions call, taken along as far as they are needed."""

from __future__ import annotations

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
