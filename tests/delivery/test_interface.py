"""What a letter gives away, and how a provider says no."""

from __future__ import annotations

import dataclasses

import pytest

from doorcode.delivery.inbox import Inbox
from doorcode.delivery.interface import Never, NotSent, Provider, TryLater
from doorcode.delivery.smtp import Smtp

from .conftest import CODE, LetterMaker


def test_a_printed_letter_shows_neither_code_nor_recipient(letter: LetterMaker) -> None:
    printed = repr(letter())
    assert "msg_1" in printed
    assert CODE not in printed
    assert "ada" not in printed


def test_a_letter_cannot_be_changed(letter: LetterMaker) -> None:
    with pytest.raises(dataclasses.FrozenInstanceError):
        letter().to = "eve@example.com"  # type: ignore[misc]


@pytest.mark.parametrize("refusal", [TryLater, Never])
def test_a_refusal_says_why(refusal: type[NotSent]) -> None:
    raised = refusal("the server is full")
    assert raised.why == str(raised) == "the server is full"
    assert isinstance(raised, NotSent)


def test_later_and_never_are_not_each_other() -> None:
    assert not issubclass(TryLater, Never)
    assert not issubclass(Never, TryLater)


def test_only_the_inbox_is_immediate() -> None:
    providers: list[Provider] = [Inbox(development=True), Smtp("smtp://localhost", "a@b.example")]
    assert [(p.name, p.immediate) for p in providers] == [("inbox", True), ("smtp", False)]
