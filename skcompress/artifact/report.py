"""What a compact model holds and what it takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .format import packed

if TYPE_CHECKING:
    from .compact import CompactLinear


def report_of(model: CompactLinear) -> dict[str, Any]:
    """Return the figures of `CompactLinear.report`."""
    sizes = packed.section_sizes(model)
    p = model.weights.shape[1]
    return {
        "model_id": model.model_id,
        "names": list(model.inputs),
        "inputs": len(model.reads),
        "inputs_dropped": model.reads.n_all - len(model.reads),
        "terms": p,
        "terms_dropped": model.n_terms_all - p,
        "outputs": model.n_outputs,
        "weights": int(model.weights.nonzero().sum()),
        "bits": model.weights.bits,
        "codes": model.weights.codes,
        "link": model.link,
        "bytes": {
            **sizes,
            "total": sum(sizes.values()),
            "total_without_names": len(model.to_bytes(names=False, metadata=False)),
        },
    }
