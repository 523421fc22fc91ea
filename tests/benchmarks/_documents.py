"""Documents with a class each: Reuters R8 where there is a copy, else those of the example about news."""

import importlib.util
import os
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "plot_news_in_3_kilobytes.py"


def load_documents():
    """Return name, training texts and labels, and test texts and labels."""
    spec = importlib.util.spec_from_file_location("news", EXAMPLE)
    news = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(news)
    path = Path(os.environ.get("SKCOMPRESS_DATA", "data"), "reuters_r8.csv.gz")
    return news.load_documents(path if path.exists() else None)
