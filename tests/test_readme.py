"""What the README prints is what its code prints."""

import re
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    not (Path(__file__).parents[1] / "README.md").exists(), reason="the README is not beside these tests"
)
README = Path(__file__).parents[1] / "README.md"
BLOCK = re.compile(r"^```python\n(.*?)^```\n(?:\n```\n(.*?)^```\n)?", re.DOTALL | re.MULTILINE)


def test_every_block_prints_what_stands_below_it(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    names = {}
    blocks = BLOCK.findall(README.read_text(encoding="utf-8"))
    assert len(blocks) == 3
    for code, output in blocks:
        exec(compile(code, str(README), "exec"), names)
        assert capsys.readouterr().out.splitlines() == output.splitlines()
    assert (tmp_path / "card.skc").stat().st_size < 400


def test_it_is_short_and_its_links_work_anywhere():
    text = README.read_text(encoding="utf-8")
    assert len(text.splitlines()) <= 150
    assert all(link.startswith("https://") for link in re.findall(r"\]\((.*?)\)", text))
