"""Compact models of every form of weights and terms, for the tests to iterate over."""

import numpy as np

from skcompress.artifact import Block, CompactLinear, Inputs, Weights

NAN = float("nan")


def named(k, n_all=None, positions=None):
    n_all = k if n_all is None else n_all
    positions = np.arange(k) if positions is None else np.asarray(positions)
    return Inputs(tuple(f"input {j}" for j in positions), positions, n_all)


def floats(m=1, p=12, density=1.0, dtype=np.float64, seed=0, **options):
    rng = np.random.default_rng(seed)
    values = np.where(rng.random((m, p)) < density, rng.normal(size=(m, p)), 0.0).astype(dtype)
    return CompactLinear(Weights.from_values(values), rng.normal(size=m), named(p), flat=m == 1, **options)


def codes(m=1, p=12, density=1.0, bits=4, seed=0, scale=None, zero_point=0, single=False, **options):
    rng = np.random.default_rng(seed)
    top = 2 ** (bits - 1) - 1
    drawn = np.clip(np.rint(rng.normal(scale=2.0**bits / 6, size=(m, p))), -top, top).astype(int)
    drawn = np.where(rng.random((m, p)) < density, drawn, 0) + zero_point
    weights = Weights.from_codes(drawn, 0.37 if scale is None else scale, zero_point, None, bits, single)
    return CompactLinear(weights, rng.normal(size=m), named(p), flat=m == 1, **options)


def levelled(m, p, levels):
    rng = np.random.default_rng(0)
    n_levels = len(levels[0])
    drawn = rng.integers(n_levels, size=(m, p)) - n_levels // 2
    drawn[rng.random((m, p)) < 0.5] = 0
    weights = Weights.from_codes(drawn, 0.3, -(n_levels // 2), levels, 3)
    return CompactLinear(weights, rng.normal(size=m), named(p), flat=m == 1)


def categories():
    block = Block.make(
        "category",
        [1],
        {"levels": ("a", 1, 2.5, True and "yes", None, NAN), "slots": [0, 1, 2, -1, 3, 4], "other": 5},
    )
    weights = Weights.from_codes([[3, -2, 1, 5, 7, -4, 2]], [[0.5]], bits=4)
    return CompactLinear(weights, [0.25], named(2), blocks=[block], columns=[0, 2, 3, 4, 5, 6, 7])


MODELS = {
    "floats": floats(),
    "float32": floats(dtype=np.float32),
    "few distinct floats": CompactLinear(
        Weights.from_values(np.random.default_rng(0).choice([0.1, -2.5, 3e-300], size=(1, 200))), [0.0], named(200)
    ),
    "sparse floats": floats(p=400, density=0.1),
    "outputs": floats(m=3, p=40, density=0.3),
    "no terms": floats(p=0),
    "all zero": floats(p=5, density=0.0),
    "4 bits": codes(),
    "4 bits, sparse": codes(p=400, density=0.1),
    "4 bits, float32": codes(single=True),
    "1 bit": codes(bits=1, p=20),
    "8 bits": codes(bits=8),
    "16 bits": codes(bits=16, p=200),
    "zero point": codes(bits=4, zero_point=5),
    "scale per output": codes(m=3, scale=[[0.1], [0.3], [0.7]]),
    "scale per term": codes(p=3, scale=[[0.1, 0.3, 0.7]]),
    "scale per weight": codes(m=2, p=3, scale=[[0.1, 0.3, 0.7], [0.2, 0.5, 0.11]]),
    "scale by exponents": codes(m=2, p=3, scale=np.array([[0.1], [0.3]]) * [[1.0, 0.25, 8.0]]),
    "scale of zero": codes(m=2, p=40, density=0.3, scale=[[0.0], [0.3]]),
    "levels of zero": levelled(2, 40, [[-1.0, 0, 0, 3], [0, 0, 1, 2]]),
    "levels without zero": levelled(1, 40, [[-1.0, 0.5, 3]]),
    "levels": levelled(1, 60, [[-2.0, -1, -0.5, 0, 0.5, 1, 2]]),
    "levels per output": levelled(2, 12, [[-1.0, 0, 3], [-2, 0, 5]]),
    "offset and divisor": codes(p=3, offset=[2000.0, 0, 0], divisor=[3.0, 1, 0.5]),
    "log link": floats(link="log"),
    "classes": floats(m=3, p=4, link="softmax", classes=("a", "b", "c")),
    "metadata": floats(metadata={"trained": "2026-01-01", "rows": 5}),
    "categories": categories(),
}


def of_terms(blocks, rows="table", n_inputs=3, seed=0, labels=None):
    """Return a model with a weight on every column that its blocks make."""
    rng = np.random.default_rng(seed)
    made = [Block.make(*block) for block in blocks]
    n_columns = sum(block.n_out for block in made)
    labels = tuple(f"input {j}" for j in range(n_inputs)) if labels is None else labels
    weights = Weights.from_values(rng.normal(size=(1, n_columns)))
    inputs = Inputs(labels, np.arange(n_inputs), n_inputs, rows)
    return CompactLinear(weights, [0.5], inputs, blocks=made, columns=np.arange(n_columns) + n_inputs)


TEXT = {"settings": [0, 1, 0, 1, 2, 0, 0], "stop_words": ("the",), "norm": 2}
LEVELS = {"levels": ("a", "b", None), "slots": [0, 1, 1]}

TERM_MODELS = {
    "category": of_terms([("category", [0], {**LEVELS, "other": -1})]),
    "lookup": of_terms([("lookup", [0], {**LEVELS, "other": 1, "values": [0.5, -3.0]})]),
    "entry": of_terms([("entry", [0], {})], rows="mappings"),
    "affine": of_terms([("affine", [0, 2], {"offset": [1.0, 2.0], "divisor": [3.0, 4.0]})]),
    "scaled": of_terms([("scaled", [0, 2], {"factor": [1.0, 2.0], "shift": [3.0, 4.0]})]),
    "clip": of_terms([("clip", [1], {"low": [-1.0], "high": [1.0]})]),
    "fill": of_terms([("fill", [0, 1], {"marker": (NAN,), "value": [7.0, 8.0]})]),
    "missing": of_terms([("missing", [0, 1], {"marker": (-999,)})]),
    "function": of_terms([("function", [0, 1], {"function": 0})]),
    "bins": of_terms([("bins", [0], {"edges": [-1.0, 0.0, 1.0], "slots": [0, -1, 1, 0]})]),
    "step": of_terms([("step", [0], {"edges": [-1.0, 1.0], "values": [0.0, 5.0, 2.0]})]),
    "spline": of_terms(
        [
            (
                "spline",
                [0],
                {"degree": 2, "extrapolation": 2, "missing": 0, "knots": np.arange(8.0), "slots": range(5)},
            )
        ]
    ),
    "product": of_terms([("product", [0, 1, 2], {"sizes": [2, 3], "factors": [0, 1, 2, 2, 0]})]),
    "words": of_terms(
        [
            (
                "words",
                [0],
                {**TEXT, "sublinear": 1, "words": ("fox", "dog", "öl"), "slots": range(3), "idf": [1.0, 2, 3]},
            )
        ],
        rows="values",
        n_inputs=1,
    ),
    "hash": of_terms(
        [("hash", [0], {**TEXT, "n_features": 64, "alternate": 1, "numbers": [3, 10, 40]})],
        rows="values",
        n_inputs=1,
    ),
}
MODELS.update({f"{name} terms": model for name, model in TERM_MODELS.items()})
MODELS["vocabulary"] = of_terms(
    [
        (
            "words",
            [0],
            {
                **TEXT,
                "sublinear": 0,
                "words": tuple(
                    sorted(
                        {f"{a}{b}" for a in ("fox", "dog", "grain", "bank") for b in ("", "s", "ed", "er")}
                        | {*"abcdefghijklmnopqrstuvwxyz"}
                    )
                ),
                "slots": [j - 1 if j > 5 else j if j < 5 else -1 for j in range(42)],
                "idf": [],
            },
        )
    ],
    rows="values",
    n_inputs=1,
)


def rows_for(model):
    """Return two rows that any model can read."""
    if model.reads.rows == "values":
        return ["the fox and the dog", "fox"]
    if model.reads.rows == "mappings":
        return [{name: j + 0.5 for j, name in enumerate(model.inputs)}, {}]
    if not model.inputs:
        return np.zeros((2, model.reads.n_all))
    first = {"category": "a", "lookup": "b"}.get(model.blocks[0].kind if model.blocks else "")
    numbers = np.vstack([np.linspace(0.1, 0.9, len(model.reads)), np.linspace(0.8, -0.2, len(model.reads))])
    columns = {name: numbers[:, j].tolist() for j, name in enumerate(model.inputs)}
    if first is not None:
        columns[model.inputs[model.blocks[0].sources[0]]] = [first, None]
    return columns
