"""Configuration of the documentation, and the API pages, which follow from ``skcompress.__all__``."""

import inspect
import re
from pathlib import Path

import skcompress

project = "skcompress"
author = copyright = "The skcompress developers"
version = release = skcompress.__version__

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.autosummary", "numpydoc", "sphinx.ext.mathjax"]
exclude_patterns = ["_build"]
myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3

autodoc_typehints = "none"
# Those that scikit-learn writes are documented there.
autodoc_default_options = {
    "exclude-members": "get_params, set_params, set_fit_request, set_score_request, set_partial_fit_request"
}
autosummary_generate = False
numpydoc_show_class_members = False

html_theme = "furo"
html_title = f"skcompress {release}"

API = Path(__file__).parent / "api"


def write_api_pages() -> None:
    """Write one page for each public name."""
    API.mkdir(exist_ok=True)
    names = sorted(name for name in skcompress.__all__ if not name.startswith("_"))
    for page in API.glob("*.rst"):
        if page.stem not in names:
            page.unlink()
    for name in names:
        is_class = inspect.isclass(getattr(skcompress, name))
        directive = "autoclass" if is_class else "autofunction"
        options = "   :members:\n   :inherited-members:\n" if is_class else ""
        text = f"{name}\n{'=' * len(name)}\n\n.. {directive}:: skcompress.{name}\n{options}"
        page = API / f"{name}.rst"
        if not page.exists() or page.read_text() != text:
            page.write_text(text)


def list_api(app, docname, source) -> None:
    """Put the table of the public names into the API page."""
    if docname == "api":
        names = "\n".join(f"   skcompress.{page.stem}" for page in sorted(API.glob("*.rst")))
        source[0] = source[0].replace("PUBLIC_NAMES", names)


def escape_trailing_underscores(app, what, name, obj, options, lines) -> None:
    """Show ``coef_`` as it is written, where reStructuredText would see a link to "coef"."""
    for i, line in enumerate(lines):
        if line.lstrip().startswith((">>>", "...")):
            continue
        parts = line.split("``")
        parts[::2] = [re.sub(r"(?<=\w)_(?!\w)(?<!\\_)", r"\\_", part) for part in parts[::2]]
        lines[i] = "``".join(parts)


def loosen_references(app, what, name, obj, options, lines) -> None:
    """Show what scikit-learn's own docstrings link to as plain words: the targets are in its documentation."""
    module = inspect.getmodule(obj)
    if module is not None and module.__name__.startswith("sklearn"):
        text = re.sub(r":ref:`([^`<]+?)\s*(?:<[^`>]*>)?`", r"\1", "\n".join(lines))
        lines[:] = text.split("\n")


def setup(app) -> None:
    """Connect the steps above; the escaping comes after numpydoc's."""
    write_api_pages()
    app.connect("source-read", list_api)
    app.connect("autodoc-process-docstring", loosen_references, priority=550)
    app.connect("autodoc-process-docstring", escape_trailing_underscores, priority=600)
