"""The development inbox: who gets to see which letters, and in what order."""

from __future__ import annotations

import pytest

from doorcode.delivery.inbox import KEEPS, Inbox, NotInDevelopment

from .conftest import CODE, NOON, LetterMaker


@pytest.fixture
def inbox() -> Inbox:
    return Inbox(development=True)


def test_there_is_no_inbox_outside_development() -> None:
    with pytest.raises(NotInDevelopment, match="development only"):
        Inbox(development=False)


async def test_a_letter_can_be_read_as_soon_as_it_was_sent(
    inbox: Inbox, letter: LetterMaker
) -> None:
    await inbox.send(letter())
    [received] = inbox.messages()
    assert (received.id, received.channel, received.to) == ("msg_1", "email", "ada@example.com")
    assert (received.code, received.created_at) == (CODE, NOON)
    assert received.body == letter().text


async def test_a_link_can_be_followed_from_the_inbox(inbox: Inbox, letter: LetterMaker) -> None:
    await inbox.send(letter(code="", link="https://auth.example.com/x"))
    [received] = inbox.messages()
    assert (received.code, received.link) == ("", "https://auth.example.com/x")
    assert "auth.example.com" not in repr(received)


async def test_the_newest_letter_comes_first(inbox: Inbox, letter: LetterMaker) -> None:
    for number, created_at in (("a", NOON), ("c", NOON + 2), ("b", NOON + 1)):
        await inbox.send(letter(id=number, created_at=created_at))
    assert [received.id for received in inbox.messages()] == ["c", "b", "a"]


async def test_of_one_moment_the_last_to_arrive_comes_first(
    inbox: Inbox, letter: LetterMaker
) -> None:
    for number in ("a", "b"):
        await inbox.send(letter(id=number))
    assert [received.id for received in inbox.messages()] == ["b", "a"]


async def test_the_inbox_keeps_the_last_500(inbox: Inbox, letter: LetterMaker) -> None:
    for number in range(KEEPS + 3):
        await inbox.send(letter(id=f"msg_{number}", created_at=NOON + number))
    kept = [received.id for received in inbox.messages()]
    assert KEEPS == len(kept) == 500
    assert (kept[0], kept[-1]) == ("msg_502", "msg_3")


async def test_a_letter_sent_twice_is_kept_once(inbox: Inbox, letter: LetterMaker) -> None:
    await inbox.send(letter())
    await inbox.send(letter())
    assert len(inbox.messages()) == 1


@pytest.mark.parametrize(
    ("to", "asked"),
    [
        ("+14155552671", "+1 (415) 555-2671"),
        ("+14155550123", "+1 415.555.0123"),  # fictional: a test number
        ("Ada@Example.com", "ada@example.COM"),
        ("jane+clerk_test@example.com", "Jane+clerk_test@example.com"),
    ],
)
async def test_an_address_is_found_however_it_is_written(
    inbox: Inbox, letter: LetterMaker, to: str, asked: str
) -> None:
    await inbox.send(letter(id="wanted", to=to))
    await inbox.send(letter(id="other", to="eve@example.com"))
    assert [received.id for received in inbox.messages(asked)] == ["wanted"]


async def test_what_is_no_address_finds_only_itself(inbox: Inbox, letter: LetterMaker) -> None:
    await inbox.send(letter())
    assert inbox.messages("ada") == []
    assert inbox.messages("") == []


async def test_a_printed_letter_of_the_inbox_shows_no_code(
    inbox: Inbox, letter: LetterMaker
) -> None:
    await inbox.send(letter())
    assert CODE not in repr(inbox.messages())
