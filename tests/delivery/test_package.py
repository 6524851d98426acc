"""The folder says what it owns."""

from __future__ import annotations

from doorcode import delivery


def test_the_post_is_owned_here() -> None:
    assert (delivery.__doc__ or "").startswith("Owns the post")
