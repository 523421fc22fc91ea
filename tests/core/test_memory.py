"""Allocations that would not fit are refused before they are tried."""

import builtins

import pytest

from skcompress.core import checks


def test_this_machine_tells_what_is_free():
    free = checks.free_bytes()
    assert free is None or free > 2**20


def test_small_requests_pass():
    checks.require_bytes(1000, what="a list", way_out="use less")


def test_more_than_half_of_what_is_free_is_refused(monkeypatch):
    monkeypatch.setattr(checks, "free_bytes", lambda: 8 * 2**30)
    checks.require_bytes(4 * 2**30, what="half", way_out="use less")
    with pytest.raises(MemoryError, match=r"the 9 x 9 curvature takes 4\.5 GiB, .* 8\.0 GiB .* free: use a Lasso"):
        checks.require_bytes(int(4.5 * 2**30), what="the 9 x 9 curvature", way_out="use a Lasso")


def test_nothing_is_refused_where_the_system_does_not_tell(monkeypatch):
    monkeypatch.setattr(checks, "free_bytes", lambda: None)
    checks.require_bytes(2**60, what="a universe", way_out="none")


def test_without_proc_the_pages_are_counted(monkeypatch):
    def no_file(*args, **kwargs):
        raise FileNotFoundError

    monkeypatch.setattr(builtins, "open", no_file)
    monkeypatch.setattr(checks.os, "sysconf", {"SC_AVPHYS_PAGES": 10, "SC_PAGE_SIZE": 4096}.__getitem__, raising=False)
    assert checks.free_bytes() == 40960
    monkeypatch.delattr(checks.os, "sysconf", raising=False)
    assert checks.free_bytes() is None
