"""What every engine must do. An engine's test module brings a `storage` fixture and
imports all of this:

    from .conformance import *

Only `storage/interface.py` is used here. The races are run as an attacker would run them:
all at once, from many tasks.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from typing import TypeVar

import pytest

from doorcode.domain import limits
from doorcode.domain.addresses import Kind
from doorcode.domain.client import DevBrowser
from doorcode.domain.key_rotation import FORMER_STAYS_FOR, arrange
from doorcode.domain.message import Message, State
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_in import Status as SignInStatus
from doorcode.domain.sign_up import Status as SignUpStatus
from doorcode.domain.verification import Code, Verification
from doorcode.domain.verification import Status as VerificationStatus
from doorcode.storage.interface import Conflict, SealedKey, Storage, Transaction

from . import examples as an
from .examples import EMAIL, LATER, NEXT_DAY, NOW, PHONE, PROFILE, TEST_PHONE

T = TypeVar("T")
MOST = limits.TRIES_PER_VERIFICATION
HOUR_AGO = NOW - limits.HOUR


async def start_verification(storage: Storage, *codes: Code, **changes: object) -> Verification:
    verification = an.verification(**changes)
    async with storage.transaction() as tx:
        await tx.add_verification(verification, delete_at=NEXT_DAY)
        for code in codes:
            await tx.add_code(verification.id, code, keep=limits.CODES_ALIVE)
    return verification


async def stored(storage: Storage, verification: Verification) -> Verification | None:
    async with storage.reading() as tx:
        return await tx.verification_of(verification.attempt_id, verification.address)


async def queue_messages(storage: Storage, *messages: Message) -> None:
    await start_verification(storage)
    async with storage.transaction() as tx:
        for message in messages:
            await tx.add_message(message)


async def lease_all(storage: Storage, now: int = NOW, until: int = LATER) -> list[Message]:
    async with storage.transaction() as tx:
        return await tx.lease_messages(now, until, most=100)


class TestUnits:
    async def test_what_is_done_in_a_unit_is_kept(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.save_setting("name", b"value")
        async with storage.reading() as tx:
            assert await tx.setting("name") == b"value"

    async def test_a_unit_that_raises_leaves_nothing(self, storage: Storage) -> None:
        async def fail() -> None:
            async with storage.transaction() as tx:
                await tx.save_setting("name", b"value")
                await tx.add_client(an.client(), b"digest")
                raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError):
            await fail()
        async with storage.reading() as tx:
            assert await tx.setting("name") is None
            assert await tx.client_by_digest(b"digest") is None

    async def test_a_unit_sees_its_own_writes(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.save_setting("name", b"value")
            assert await tx.setting("name") == b"value"

    async def test_nobody_sees_what_is_not_committed(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.save_setting("name", b"value")
            async with storage.reading() as other:
                assert await other.setting("name") is None

    async def test_a_failure_takes_back_only_itself(self, storage: Storage) -> None:
        async def save(number: int) -> None:
            async with storage.transaction() as tx:
                await tx.save_setting(str(number), b"value")
                if number % 3 == 0:
                    raise ZeroDivisionError

        await asyncio.gather(*(save(number) for number in range(60)), return_exceptions=True)
        async with storage.reading() as tx:
            kept = [number for number in range(60) if await tx.setting(str(number))]
        assert kept == [number for number in range(60) if number % 3]

    async def test_units_of_one_client_wait_for_each_other(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_client(an.client(updated_at=0), b"digest")

        async def count_one() -> None:
            async with storage.transaction() as tx:
                client = await tx.lock_client("client_1")
                assert client is not None
                await tx.save_client(replace(client, updated_at=client.updated_at + 1))

        await asyncio.gather(*(count_one() for _ in range(50)))
        async with storage.reading() as tx:
            assert await tx.client_by_digest(b"digest") == an.client(updated_at=50)

    async def test_it_is_ready_once_it_has_an_instance(self, storage: Storage) -> None:
        assert not await storage.is_ready()
        async with storage.transaction() as tx:
            await tx.save_setting("instance_id", b"ins_1")
        assert await storage.is_ready()


class TestClients:
    async def test_a_client_comes_back_as_it_was(self, storage: Storage) -> None:
        client = an.client(
            sign_up_id="sua_1",
            sign_in_id="sia_1",
            last_active_session_id="sess_1",
            last_strategy="phone_code",
            human_until=LATER,
        )
        async with storage.transaction() as tx:
            await tx.add_client(client, b"digest")
            assert await tx.client_by_digest(b"digest") == client
            assert await tx.lock_client("client_1") == client

    async def test_a_saved_client_is_replaced(self, storage: Storage) -> None:
        changed = an.client(updated_at=NOW + 1, sign_in_id="sia_2", last_strategy="email_code")
        async with storage.transaction() as tx:
            await tx.add_client(an.client(sign_up_id="sua_1"), b"digest")
            await tx.save_client(changed)
            assert await tx.client_by_digest(b"digest") == changed

    async def test_a_solved_challenge_is_used_once_and_no_saving_brings_it_back(
        self, storage: Storage
    ) -> None:
        client = an.client()
        async with storage.transaction() as tx:
            await tx.add_client(client, b"digest")
            assert not await tx.use_human(client.id, NOW)
            await tx.remember_human(client.id, LATER)
            assert not await tx.use_human(client.id, LATER)  # it is over
            assert await tx.use_human(client.id, NOW)
            assert not await tx.use_human(client.id, NOW)
            await tx.save_client(replace(client, human_until=LATER))
            assert not await tx.use_human(client.id, NOW)

    async def test_a_former_cookie_opens_nothing(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_client(an.client(), b"planted")
            await tx.rotate_client("client_1", b"fresh")
            assert await tx.client_by_digest(b"planted") is None
            assert await tx.client_by_digest(b"fresh") == an.client()

    async def test_a_deleted_client_is_gone(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_client(an.client(), b"one")
            await tx.add_client(an.client(id="client_2"), b"two")
            await tx.delete_client("client_1")
            assert await tx.lock_client("client_1") is None
            assert await tx.client_by_digest(b"one") is None
            assert await tx.client_by_digest(b"two") is not None

    async def test_a_development_browser_becomes_a_client(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_dev_browser(b"one", DevBrowser(None, LATER))
            await tx.add_dev_browser(b"two", DevBrowser(None, LATER))
            await tx.attach_dev_browser(b"one", "client_1")
            assert await tx.dev_browser(b"one") == DevBrowser("client_1", LATER)
            assert await tx.dev_browser(b"two") == DevBrowser(None, LATER)
            assert await tx.dev_browser(b"three") is None
            await tx.add_client(an.client(human_until=LATER), b"digest")
            assert await tx.dev_browser(b"one") == DevBrowser("client_1", LATER, LATER)


class TestAttempts:
    async def test_a_sign_up_comes_back_as_it_was(self, storage: Storage) -> None:
        sign_up = an.sign_up(phone=TEST_PHONE, email=EMAIL, profile=PROFILE)
        async with storage.transaction() as tx:
            await tx.add_sign_up(an.sign_up(id="sua_2"))
            await tx.add_sign_up(sign_up)
            assert await tx.sign_up("sua_1") == sign_up
            assert await tx.sign_up("sua_2") == an.sign_up(id="sua_2")
            assert await tx.sign_up("sua_3") is None

    async def test_a_sign_up_brings_its_verifications(self, storage: Storage) -> None:
        by_mail = await start_verification(storage)
        by_phone = await start_verification(storage, id="ver_2", address=PHONE, sent_at=NOW + 1)
        await start_verification(storage, id="ver_3", attempt_id="sua_2")
        async with storage.transaction() as tx:
            await tx.add_sign_up(an.sign_up())
            sign_up = await tx.sign_up("sua_1")
        assert sign_up == an.sign_up(verifications=(by_mail, by_phone))

    async def test_a_saved_sign_up_is_replaced(self, storage: Storage) -> None:
        changed = an.sign_up(
            status=SignUpStatus.COMPLETE,
            abandon_at=NEXT_DAY + 1,
            phone=PHONE,
            email=EMAIL,
            profile=PROFILE,
            created_user_id="user_1",
            created_session_id="sess_1",
        )
        async with storage.transaction() as tx:
            await tx.add_sign_up(an.sign_up(phone=TEST_PHONE))
            await tx.save_sign_up(changed)
            assert await tx.sign_up("sua_1") == changed

    @pytest.mark.parametrize("identifier", [None, PHONE, TEST_PHONE, EMAIL])
    async def test_a_sign_in_comes_back_as_it_was(
        self, storage: Storage, identifier: an.Address | None
    ) -> None:
        sign_in = an.sign_in(identifier=identifier, user_id="user_1")
        async with storage.transaction() as tx:
            await tx.add_sign_in(sign_in)
            assert await tx.sign_in("sia_1") == sign_in
            assert await tx.sign_in("sia_2") is None

    async def test_a_sign_in_brings_the_verifications_asked_for_last(
        self, storage: Storage
    ) -> None:
        await start_verification(storage, attempt_id="sia_1", address=PHONE)
        last = await start_verification(storage, id="ver_2", attempt_id="sia_1")
        second = await start_verification(
            storage, id="ver_3", attempt_id="sia_1", address=TEST_PHONE
        )
        async with storage.transaction() as tx:
            await tx.add_sign_in(an.sign_in())
            await tx.save_sign_in(
                an.sign_in(first=last, second=second, first_strategy="email_code")
            )
            await tx.count_try(last.id, MOST, NOW)
            found = await tx.sign_in("sia_1")
        first = replace(last, attempts=1)
        assert found == an.sign_in(first=first, second=second, first_strategy="email_code")

    async def test_a_saved_sign_in_is_replaced(self, storage: Storage) -> None:
        verification = await start_verification(storage, attempt_id="sia_1")
        changed = an.sign_in(
            status=SignInStatus.COMPLETE,
            first=verification,
            created_session_id="sess_1",
        )
        async with storage.transaction() as tx:
            await tx.add_sign_in(an.sign_in())
            await tx.save_sign_in(changed)
            assert await tx.sign_in("sia_1") == changed

    async def test_a_sign_in_may_learn_later_who_it_is_for(self, storage: Storage) -> None:
        known = an.sign_in(identifier=EMAIL, user_id="user_1", abandon_at=NEXT_DAY + 1)
        async with storage.transaction() as tx:
            await tx.add_sign_in(an.sign_in(status=SignInStatus.NEEDS_IDENTIFIER))
            await tx.save_sign_in(known)
            assert await tx.sign_in("sia_1") == known


class TestVerifications:
    @pytest.mark.parametrize("address", [PHONE, TEST_PHONE, EMAIL])
    async def test_a_verification_comes_back_as_it_was(
        self, storage: Storage, address: an.Address
    ) -> None:
        verification = await start_verification(storage, address=address, attempts=2)
        assert await stored(storage, verification) == verification

    async def test_it_belongs_to_one_attempt_and_one_address(self, storage: Storage) -> None:
        await start_verification(storage)
        async with storage.reading() as tx:
            assert await tx.verification_of("sua_2", EMAIL) is None
            assert await tx.verification_of("sua_1", PHONE) is None
            assert await tx.verification_of("sua_1", replace(EMAIL, kind=Kind.PHONE)) is None

    async def test_a_fresh_one_takes_the_place_of_the_earlier(self, storage: Storage) -> None:
        await start_verification(storage, an.code())
        other = await start_verification(storage, an.code(), id="ver_2", address=PHONE)
        fresh = await start_verification(storage, id="ver_3")
        async with storage.reading() as tx:
            assert await tx.verification_of("sua_1", EMAIL) == fresh
            assert await tx.codes("ver_1") == await tx.codes("ver_3") == []
            assert await tx.codes(other.id) == [an.code()]

    async def test_tries_are_numbered_from_one(self, storage: Storage) -> None:
        verification = await start_verification(storage)
        async with storage.transaction() as tx:
            numbers = [await tx.count_try("ver_1", MOST, NOW) for _ in range(MOST + 2)]
        assert numbers == [1, 2, 3, 4, 5, None, None]
        assert await stored(storage, verification) == replace(verification, attempts=MOST)

    async def test_no_try_is_counted_once_time_is_up(self, storage: Storage) -> None:
        await start_verification(storage)
        async with storage.transaction() as tx:
            assert await tx.count_try("ver_1", MOST, LATER) is None
            assert await tx.count_try("ver_1", MOST, LATER - 1) == 1
            assert await tx.count_try("ver_9", MOST, NOW) is None

    @pytest.mark.parametrize("status", [VerificationStatus.VERIFIED, VerificationStatus.FAILED])
    async def test_what_is_settled_stays_so(
        self, storage: Storage, status: VerificationStatus
    ) -> None:
        verification = await start_verification(storage, an.code())
        async with storage.transaction() as tx:
            assert await tx.settle("ver_1", status)
            assert [await tx.settle("ver_1", other) for other in VerificationStatus] == [
                False
            ] * len(VerificationStatus)
            assert await tx.count_try("ver_1", MOST, NOW) is None
            assert await tx.codes("ver_1") == []
        assert await stored(storage, verification) == replace(verification, status=status)

    async def test_settling_touches_no_other(self, storage: Storage) -> None:
        await start_verification(storage, an.code())
        other = await start_verification(storage, an.code(), id="ver_2", address=PHONE)
        async with storage.transaction() as tx:
            await tx.settle("ver_1", VerificationStatus.VERIFIED)
            assert await tx.codes("ver_2") == [an.code()]
            assert not await tx.settle("ver_9", VerificationStatus.VERIFIED)
        assert await stored(storage, other) == other

    async def test_another_code_extends_it_and_keeps_the_count(self, storage: Storage) -> None:
        verification = await start_verification(storage)
        async with storage.transaction() as tx:
            await tx.count_try("ver_1", MOST, NOW)
            await tx.extend(an.verification(sent_at=NOW + 1, expires_at=LATER + 1))
        extended = replace(verification, attempts=1, sent_at=NOW + 1, expires_at=LATER + 1)
        assert await stored(storage, verification) == extended

    async def test_the_newest_codes_are_kept(self, storage: Storage) -> None:
        codes = [an.code(digest=bytes([n]) * 32, key_version=n) for n in range(5)]
        await start_verification(storage, *codes)
        await start_verification(storage, *codes[:2], id="ver_2", address=PHONE)
        async with storage.reading() as tx:
            assert sorted(await tx.codes("ver_1"), key=lambda code: code.digest) == codes[2:]
            assert sorted(await tx.codes("ver_2"), key=lambda code: code.digest) == codes[:2]

    async def test_a_retired_attempt_is_forgotten(self, storage: Storage) -> None:
        await start_verification(storage, an.code())
        await start_verification(storage, an.code(), id="ver_2", address=PHONE)
        other = await start_verification(storage, an.code(), id="ver_3", attempt_id="sua_2")
        async with storage.transaction() as tx:
            await tx.retire_attempt("sua_1")
            assert await tx.verification_of("sua_1", EMAIL) is None
            assert await tx.verification_of("sua_1", PHONE) is None
            assert await tx.codes("ver_1") == await tx.codes("ver_2") == []
            assert await tx.codes("ver_3") == [an.code()]
        assert await stored(storage, other) == other


class TestUsers:
    async def test_a_user_comes_back_as_they_were(self, storage: Storage) -> None:
        addresses = (
            an.owned(),
            an.owned(id="idn_2", address=TEST_PHONE, verified_at=None, created_at=NOW + 1),
        )
        user = an.user(
            profile=PROFILE,
            addresses=addresses,
            last_sign_in_at=NOW + 1,
            last_active_at=NOW + 2,
            primary_phone_id="idn_2",
            banned=True,
        )
        async with storage.transaction() as tx:
            await tx.add_user(user)
            assert await tx.user("user_1") == user
            assert await tx.user("user_2") is None

    async def test_a_user_is_found_by_address(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            assert await tx.user_by_address(EMAIL) == an.user()
            assert await tx.user_by_address(replace(EMAIL, spelling="x")) == an.user()
            assert await tx.user_by_address(PHONE) is None
            assert await tx.user_by_address(replace(EMAIL, kind=Kind.PHONE)) is None

    async def test_a_user_is_found_by_address_evenly(self, storage: Storage) -> None:
        """By reading somebody else where nobody has it; they are never given out."""
        before, after = (replace(EMAIL, value=value) for value in ("a@a.com", "z@z.com"))
        async with storage.transaction() as tx:
            assert await tx.user_by_address(EMAIL, evenly=True) is None
            await tx.add_user(an.user())
            assert await tx.user_by_address(EMAIL, evenly=True) == an.user()
            for address in (before, after, PHONE, replace(EMAIL, kind=Kind.PHONE)):
                assert await tx.user_by_address(address, evenly=True) is None

    async def test_a_sign_in_is_noted(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            await tx.user_signed_in("user_1", NOW + 5)
            signed_in = an.user(last_sign_in_at=NOW + 5, last_active_at=NOW + 5)
            assert await tx.user("user_1") == signed_in

    async def test_an_address_belongs_to_one_user(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
        free = an.owned(id="idn_2", user_id="user_2", address=PHONE)
        taken = an.owned(id="idn_3", user_id="user_2")
        with pytest.raises(Conflict):
            async with storage.transaction() as tx:
                await tx.add_user(an.user(id="user_2", addresses=(free, taken)))
        async with storage.reading() as tx:
            assert await tx.user("user_2") is None
            assert await tx.user_by_address(PHONE) is None
            assert await tx.user_by_address(EMAIL) == an.user()


class TestSessions:
    async def test_a_session_comes_back_as_it_was(self, storage: Storage) -> None:
        await self.add(storage, an.session(status=SessionStatus.REVOKED, updated_at=NOW + 1))
        async with storage.reading() as tx:
            found = await tx.session("sess_1")
            assert found == an.session(status=SessionStatus.REVOKED, updated_at=NOW + 1)
            assert await tx.session("sess_2") is None

    async def test_live_sessions_are_those_that_sign_somebody_in(self, storage: Storage) -> None:
        second = an.session(id="sess_2", created_at=NOW + 1)
        await self.add(
            storage,
            second,
            an.session(),
            an.session(id="sess_3", client_id="client_2"),
            an.session(id="sess_4", status=SessionStatus.ENDED),
        )
        async with storage.reading() as tx:
            assert await tx.live_sessions("client_1", LATER - 1) == [an.session(), second]
            assert await tx.live_sessions("client_1", LATER) == []

    async def test_a_session_ends_once(self, storage: Storage) -> None:
        await self.add(storage, an.session(), an.session(id="sess_2"))
        async with storage.transaction() as tx:
            assert await tx.end_session("sess_1", SessionStatus.ENDED, NOW + 1)
            assert not await tx.end_session("sess_1", SessionStatus.REVOKED, NOW + 2)
            assert not await tx.end_session("sess_9", SessionStatus.ENDED, NOW)
            ended = an.session(status=SessionStatus.ENDED, updated_at=NOW + 1)
            assert await tx.session("sess_1") == ended
            assert await tx.session("sess_2") == an.session(id="sess_2")

    async def test_only_an_active_session_is_touched(self, storage: Storage) -> None:
        ended = an.session(id="sess_2", status=SessionStatus.ENDED)
        await self.add(storage, an.session(), ended)
        async with storage.transaction() as tx:
            await tx.touch_session("sess_1", NOW + 9)
            await tx.touch_session("sess_2", NOW + 9)
            assert await tx.session("sess_1") == an.session(last_active_at=NOW + 9)
            assert await tx.session("sess_2") == ended

    async def add(self, storage: Storage, *sessions: Session) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            for session in sessions:
                await tx.add_session(session)


class TestOutbox:
    async def test_a_message_is_leased_as_it_was_written(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        assert await lease_all(storage) == [an.message(attempts=1)]

    async def test_a_lease_keeps_others_away_until_it_ends(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        await lease_all(storage, until=NOW + 100)
        assert await lease_all(storage, now=NOW + 99) == []
        assert await lease_all(storage, now=NOW + 100) == [an.message(attempts=2)]

    async def test_the_oldest_come_first_and_no_more_than_asked_for(self, storage: Storage) -> None:
        young, old = an.message(created_at=NOW + 1), an.message(id="msg_0", created_at=NOW)
        await queue_messages(storage, young, an.message(id="msg_2", created_at=NOW + 2), old)
        async with storage.transaction() as tx:
            leased = await tx.lease_messages(NOW + 9, LATER, most=2)
        assert [message.id for message in leased] == [old.id, young.id]

    async def test_one_message_can_be_leased_by_its_id(self, storage: Storage) -> None:
        await queue_messages(storage, an.message(), an.message(id="msg_2"))
        async with storage.transaction() as tx:
            assert await tx.lease_message("msg_1", NOW, LATER) == an.message(attempts=1)
            assert await tx.lease_message("msg_1", NOW, LATER) is None
            assert await tx.lease_message("msg_9", NOW, LATER) is None
        assert await lease_all(storage) == [an.message(id="msg_2", attempts=1)]

    async def test_a_delivery_is_noted_once(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        async with storage.transaction() as tx:
            assert await tx.message_taken(an.message(), an.step(), "")
            assert not await tx.message_taken(an.message(), an.step(), "")
        assert await lease_all(storage, now=NEXT_DAY) == []

    async def test_what_is_withheld_waits_no_more(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        async with storage.transaction() as tx:
            assert await tx.message_taken(an.message(), an.step(state=State.WITHHELD), "")
            assert not await tx.message_taken(an.message(), an.step(), "")
        assert await lease_all(storage, now=NEXT_DAY) == []

    async def test_a_deferred_message_is_due_again_at_its_time(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        (leased,) = await lease_all(storage)
        async with storage.transaction() as tx:
            await tx.message_deferred(leased, NOW + 50, "the provider is busy")
            assert await tx.next_message_at() == NOW + 50
        assert await lease_all(storage, now=NOW + 49) == []
        assert await lease_all(storage, now=NOW + 50) == [an.message(attempts=2)]

    async def test_a_late_courier_does_not_speak_for_the_next_one(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        (late,) = await lease_all(storage, until=NOW + 100)
        (next_one,) = await lease_all(storage, now=NOW + 100, until=NOW + 200)
        async with storage.transaction() as tx:
            await tx.message_deferred(late, NOW + 101, "it woke up again")
            await tx.message_failed(late, "it woke up again")
        assert await lease_all(storage, now=NOW + 199) == []
        async with storage.transaction() as tx:
            assert await tx.message_taken(next_one, an.step(at=NOW + 199), "")

    async def test_a_failed_message_is_never_sent(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        async with storage.transaction() as tx:
            await tx.message_failed(an.message(), "there is no such number")
            await tx.message_deferred(an.message(), NOW, "too late")
            assert await tx.next_message_at() is None
            assert not await tx.message_taken(an.message(), an.step(), "")
        assert await lease_all(storage, now=NEXT_DAY) == []

    async def test_the_next_message_is_the_earliest_that_waits(self, storage: Storage) -> None:
        second = an.message(id="msg_2", created_at=NOW + 5)
        await queue_messages(storage, second, an.message())
        async with storage.transaction() as tx:
            assert await tx.next_message_at() == NOW
            await tx.lease_message("msg_1", NOW, LATER)
            assert await tx.next_message_at() == NOW + 5

    async def test_a_retired_attempts_messages_are_not_sent(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        await start_verification(storage, id="ver_2", attempt_id="sua_2")
        other = an.message(id="msg_2", verification_id="ver_2")
        async with storage.transaction() as tx:
            await tx.add_message(other)
            await tx.retire_attempt("sua_1")
            assert not await tx.message_taken(an.message(), an.step(), "")
        assert await lease_all(storage) == [replace(other, attempts=1)]


class TestInstance:
    async def test_a_setting_is_replaced(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            assert await tx.setting("instance_id") is None
            await tx.save_setting("instance_id", b"one")
            await tx.save_setting("instance_id", b"\x00two")
            assert await tx.setting("instance_id") == b"\x00two"

    async def test_signing_keys_come_newest_first(self, storage: Storage) -> None:
        old, new = SealedKey("k1", b"1", NOW, NOW), SealedKey("k0", b"2", NOW + 1, NOW + 2)
        async with storage.transaction() as tx:
            await tx.save_signing_key(old)
            await tx.save_signing_key(new)
            await tx.save_signing_key(replace(old, sealed=b"sealed anew"))
            assert await tx.signing_keys() == [new, replace(old, sealed=b"sealed anew")]
            await tx.delete_signing_key("k0")
            await tx.delete_signing_key("k0")
            assert [key.id for key in await tx.signing_keys()] == ["k1"]

    async def test_a_secret_key_is_known_until_it_is_revoked(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_secret_key(b"two", "sk_2…", NOW + 1)
            await tx.add_secret_key(b"one", "sk_1…", NOW)
            assert await tx.secret_keys() == [("sk_1…", NOW), ("sk_2…", NOW + 1)]
            assert await tx.revoke_secret_key("sk_1…")
            assert not await tx.revoke_secret_key("sk_1…")
            assert await tx.secret_key_digests() == [b"two"]

    async def test_a_handshake_can_be_fetched_until_it_expires(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_handshake(b"digest", b"sealed", LATER)
            assert await tx.handshake(b"digest", LATER - 1) == b"sealed"
            assert await tx.handshake(b"digest", LATER) is None
            assert await tx.handshake(b"other", NOW) is None


# ── races ─────────────────────────────────────────────────────────────────────────────
async def at_once(
    storage: Storage, times: int, story: Callable[[Transaction, int], Awaitable[T]]
) -> list[T]:
    """The outcomes of units that all start together."""

    async def unit(number: int) -> T:
        async with storage.transaction() as tx:
            return await story(tx, number)

    return await asyncio.gather(*(unit(number) for number in range(times)))


class TestRaces:
    async def test_of_two_right_codes_one_settles(self, storage: Storage) -> None:
        await start_verification(storage, an.code())
        outcomes = await at_once(
            storage, 20, lambda tx, _: tx.settle("ver_1", VerificationStatus.VERIFIED)
        )
        assert outcomes.count(True) == 1

    async def test_a_right_and_a_last_wrong_code_settle_once(self, storage: Storage) -> None:
        verification = await start_verification(storage, an.code())
        ends = [VerificationStatus.FAILED, VerificationStatus.VERIFIED]
        outcomes = await at_once(storage, 10, lambda tx, n: tx.settle("ver_1", ends[n % 2]))
        assert outcomes.count(True) == 1
        won = ends[outcomes.index(True) % 2]
        assert await stored(storage, verification) == replace(verification, status=won)

    async def test_of_fifty_tries_five_are_counted(self, storage: Storage) -> None:
        verification = await start_verification(storage)
        numbers = await at_once(storage, 50, lambda tx, _: tx.count_try("ver_1", MOST, NOW))
        assert sorted(number for number in numbers if number) == [1, 2, 3, 4, 5]
        assert await stored(storage, verification) == replace(verification, attempts=MOST)

    async def test_couriers_share_the_letters(self, storage: Storage) -> None:
        await queue_messages(storage, *(an.message(id=f"msg_{n}") for n in range(30)))
        leases = await at_once(storage, 8, lambda tx, _: tx.lease_messages(NOW, LATER, most=7))
        leased = [message.id for lease in leases for message in lease]
        assert sorted(leased) == sorted(f"msg_{n}" for n in range(30))

    async def test_one_courier_gets_the_one_letter(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        leases = await at_once(storage, 10, lambda tx, _: tx.lease_message("msg_1", NOW, LATER))
        assert [lease for lease in leases if lease] == [an.message(attempts=1)]

    async def test_one_courier_notes_the_delivery(self, storage: Storage) -> None:
        await queue_messages(storage, an.message())
        noted = await at_once(
            storage, 10, lambda tx, _: tx.message_taken(an.message(), an.step(), "")
        )
        assert noted.count(True) == 1

    async def test_one_of_two_claims_gets_the_address(self, storage: Storage) -> None:
        async def claim(number: int) -> None:
            name = f"user_{number}"
            phone = replace(PHONE, value=f"+1415555267{number}")
            addresses = (
                an.owned(id=f"a{number}", user_id=name, address=phone),
                an.owned(id=f"b{number}", user_id=name),
            )
            async with storage.transaction() as tx:
                await tx.add_user(an.user(id=name, addresses=addresses))

        outcomes = await asyncio.gather(*map(claim, range(5)), return_exceptions=True)
        winner = outcomes.index(None)
        assert [type(one) for one in outcomes].count(Conflict) == 4
        async with storage.reading() as tx:
            users = [await tx.user(f"user_{number}") for number in range(5)]
            assert [n for n, user in enumerate(users) if user] == [winner]
            assert await tx.user_by_address(EMAIL) == users[winner]

    async def test_a_session_is_ended_by_one(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            await tx.add_session(an.session())
        outcomes = await at_once(
            storage, 10, lambda tx, _: tx.end_session("sess_1", SessionStatus.ENDED, NOW)
        )
        assert outcomes.count(True) == 1

    async def test_a_secret_key_is_revoked_by_one(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_secret_key(b"digest", "sk…", NOW)
        outcomes = await at_once(storage, 10, lambda tx, _: tx.revoke_secret_key("sk…"))
        assert outcomes.count(True) == 1

    async def test_no_try_counts_on_a_retired_attempt(self, storage: Storage) -> None:
        verification = await start_verification(storage, an.code())

        async def story(tx: Transaction, number: int) -> int | bool | None:
            if number == 3:
                await tx.retire_attempt("sua_1")
                return None
            counted = await tx.count_try("ver_1", 100, NOW)
            return await tx.settle("ver_1", VerificationStatus.FAILED) if number > 10 else counted

        await at_once(storage, 20, story)
        assert await stored(storage, verification) is None
        async with storage.transaction() as tx:
            assert await tx.count_try("ver_1", 100, NOW) is None
            assert not await tx.settle("ver_1", VerificationStatus.VERIFIED)
            assert await tx.codes("ver_1") == []


# ── cleaning ──────────────────────────────────────────────────────────────────────────
WEEK = 7 * limits.DAY
Arrange = Callable[[Transaction], Awaitable[None]]
Find = Callable[[Transaction], Awaitable[object]]


async def add_verification(tx: Transaction) -> None:
    await tx.add_verification(an.verification(), delete_at=NEXT_DAY)


async def add_code(tx: Transaction) -> None:
    await tx.add_code("ver_1", an.code(), keep=1)


async def add_guess(tx: Transaction) -> None:
    await tx.spend_guess("g1", EMAIL.name, 1, HOUR_AGO, NOW)


async def add_session(tx: Transaction) -> None:
    await tx.add_user(an.user())
    await tx.add_session(an.session())


async def add_message(tx: Transaction) -> None:
    await tx.add_verification(an.verification(), delete_at=NOW + 9 * WEEK)
    await tx.add_message(an.message())


async def add_delivered_message(tx: Transaction) -> None:
    await add_message(tx)
    await tx.message_taken(an.message(), an.step(), "")


EXPIRING: list[tuple[str, int, Arrange, Find]] = [
    (
        "sign_up",
        NEXT_DAY,
        lambda tx: tx.add_sign_up(an.sign_up()),
        lambda tx: tx.sign_up("sua_1"),
    ),
    (
        "sign_in",
        NEXT_DAY,
        lambda tx: tx.add_sign_in(an.sign_in()),
        lambda tx: tx.sign_in("sia_1"),
    ),
    ("verification", NEXT_DAY, add_verification, lambda tx: tx.verification_of("sua_1", EMAIL)),
    ("code", LATER, add_code, lambda tx: tx.codes("ver_1")),
    ("guess", NOW + 2 * limits.HOUR, add_guess, lambda tx: tx.nth_latest_guess(EMAIL.name, 1, 0)),
    (
        "handshake",
        LATER,
        lambda tx: tx.add_handshake(b"digest", b"sealed", LATER),
        lambda tx: tx.handshake(b"digest", NOW),
    ),
    (
        "dev_browser",
        LATER,
        lambda tx: tx.add_dev_browser(b"digest", DevBrowser(None, LATER)),
        lambda tx: tx.dev_browser(b"digest"),
    ),
    ("session", NEXT_DAY, add_session, lambda tx: tx.session("sess_1")),
    (
        "client",
        NOW + limits.DAY,
        lambda tx: tx.add_client(an.client(), b"digest"),
        lambda tx: tx.client_by_digest(b"digest"),
    ),
    ("message", LATER, add_message, lambda tx: tx.next_message_at()),
]


class TestCleaning:
    @pytest.mark.parametrize(
        ("limit", "arrange", "find"),
        [case[1:] for case in EXPIRING],
        ids=[case[0] for case in EXPIRING],
    )
    async def test_it_goes_on_the_millisecond(
        self, storage: Storage, limit: int, arrange: Arrange, find: Find
    ) -> None:
        async with storage.transaction() as tx:
            await arrange(tx)
            assert await tx.delete_expired(limit - 1, most=10) == 0
            assert await find(tx)
            assert await tx.delete_expired(limit, most=10) == 1
            assert not await find(tx)

    async def test_a_delivered_message_is_kept_for_a_week(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await add_delivered_message(tx)
            assert await tx.delete_expired(NOW + WEEK - 1, most=10) == 0
            assert await tx.delete_expired(NOW + WEEK, most=10) == 1

    async def test_no_more_goes_at_a_time_than_asked_for(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            for number in range(5):
                await tx.add_sign_up(an.sign_up(id=f"sua_{number}"))
                await tx.add_sign_in(an.sign_in(id=f"sia_{number}"))
            went = [await tx.delete_expired(NEXT_DAY, most=2) for _ in range(4)]
        assert went == [4, 4, 2, 0]

    async def test_a_client_stays_while_anything_is_known_of_it(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await add_session(tx)
            await tx.add_sign_up(an.sign_up(abandon_at=NOW + WEEK))
            await tx.add_sign_in(an.sign_in(abandon_at=NOW + WEEK))
            await tx.add_client(an.client(), b"1")
            await tx.add_client(an.client(id="client_2", sign_up_id="sua_1"), b"2")
            await tx.add_client(an.client(id="client_3", sign_in_id="sia_1"), b"3")
            await tx.add_client(an.client(id="client_4", sign_in_id="sia_9"), b"4")
            assert await tx.delete_expired(NEXT_DAY - 1, most=10) == 0
            assert await tx.delete_expired(NEXT_DAY, most=10) == 3  # the session, then 1 and 4
            found = [await tx.client_by_digest(digest) for digest in (b"1", b"2", b"3", b"4")]
        assert [client.id if client else None for client in found] == [
            None, "client_2", "client_3", None,
        ]  # fmt: skip

    async def test_people_and_keys_never_expire(self, storage: Storage) -> None:
        async with storage.transaction() as tx:
            await tx.add_user(an.user())
            await tx.save_setting("instance_id", b"ins_1")
            await tx.save_signing_key(SealedKey("k1", b"1", NOW, NOW))
            await tx.add_secret_key(b"digest", "sk…", NOW)
            assert await tx.delete_expired(NOW + 999 * WEEK, most=10) == 0

    async def test_a_former_signing_key_goes_when_nobody_is_told_of_it_any_more(
        self, storage: Storage
    ) -> None:
        # Two that took over at the same moment, of which the later by its id signs.
        turns = {"k1": NOW, "k3": LATER, "k2": LATER, "k4": NEXT_DAY}
        gone = LATER + FORMER_STAYS_FOR
        async with storage.transaction() as tx:
            for name, signs_from in turns.items():
                await tx.save_signing_key(SealedKey(name, b"sealed", NOW, signs_from))
            for now, most in ((gone - 1, 10), (gone, 1), (gone, 10), (gone, 10)):
                before = {key.id: key.signs_from for key in await tx.signing_keys()}
                went = await tx.delete_expired(now, most)
                kept = {key.id for key in await tx.signing_keys()}
                assert went == min(most, len(before) - len(arrange(before, now)))
                assert kept >= set(arrange(turns, now))
            assert kept == {"k3", "k4"}
