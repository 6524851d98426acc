"""What every engine must do with accounts: addresses claimed and owned, backup codes,
pictures, sessions. Imported by an engine's test module as `conformance.py` is."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from doorcode.domain.addresses import Address, Kind
from doorcode.domain.reverification import Level, Reverification
from doorcode.domain.reverification import Status as ReverificationStatus
from doorcode.domain.session import Device, Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.sign_up import Profile
from doorcode.domain.user import AppData, OwnedAddress, User
from doorcode.storage.interface import Conflict, Storage, Transaction

from . import examples as an
from .conformance import at_once
from .examples import EMAIL, LATER, NEXT_DAY, NOW, PHONE

CLAIM = an.owned(id="idn_2", address=PHONE, verified_at=None)
PROVED = replace(CLAIM, verified_at=NOW + 1, updated_at=NOW + 1)
PICTURE = ("img_1", "image/webp", b"\x00picture")


async def keep(storage: Storage, *users: User) -> None:
    async with storage.transaction() as tx:
        for user in users:
            await tx.add_user(user)


async def kept(storage: Storage, user_id: str = "user_1") -> User:
    async with storage.reading() as tx:
        user = await tx.user(user_id)
    assert user
    return user


def bea(**changes: object) -> User:
    """Somebody else, who owns no address of the examples."""
    return an.user(id="user_2", addresses=(), primary_email_id=None, **changes)


def of_bea(address: Address) -> OwnedAddress:
    return an.owned(id="idn_2", user_id="user_2", address=address)


class TestAccounts:
    async def test_a_saved_account_is_replaced(self, storage: Storage) -> None:
        await keep(storage, an.user())
        changed = an.user(
            profile=Profile("Ada", unsafe_metadata={"a": [1]}, username="Ada_1"),
            updated_at=NOW + 1,
            primary_email_id=None,
            banned=True,
            app_data=AppData({"plan": "free"}, {"note": "ü"}, "ext_1"),
            mfa_enabled_at=NOW + 2,
            mfa_disabled_at=NOW + 3,
        )
        async with storage.transaction() as tx:
            await tx.save_user(changed)
        assert await kept(storage) == changed

    async def test_saving_touches_neither_addresses_nor_visits(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.user_signed_in("user_1", NOW + 5)
            await tx.save_user(an.user(addresses=()))
        user = await kept(storage)
        assert user.addresses == (an.owned(),)
        assert (user.last_sign_in_at, user.last_active_at) == (NOW + 5, NOW + 5)

    async def test_an_account_is_found_by_its_username(self, storage: Storage) -> None:
        await keep(storage, an.user(profile=Profile(username="Ada_1")))
        async with storage.reading() as tx:
            assert await tx.user_by_username("ada_1") == await kept(storage)
            assert await tx.user_by_username("Ada_1") is None

    async def test_a_username_is_one_persons(self, storage: Storage) -> None:
        await keep(storage, an.user(profile=Profile(username="Ada_1")), bea())
        with pytest.raises(Conflict):
            async with storage.transaction() as tx:
                await tx.save_user(bea(profile=Profile(username="ADA_1")))

    async def test_a_deleted_account_takes_the_letters_to_its_addresses(
        self, storage: Storage
    ) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.add_pending_address(CLAIM)
            await tx.add_verification(an.verification(id="ver_2", attempt_id=CLAIM.id), LATER)
            claimed = CLAIM.address.spelling
            for number, (verification, to) in enumerate(
                (
                    ("ver_0", EMAIL.spelling),
                    ("ver_2", claimed),
                    ("ver_3", claimed),
                    ("ver_4", "else"),
                )
            ):
                one = an.message(id=f"msg_{number}", verification_id=verification, recipient=to)
                await tx.add_message(one)
            await tx.delete_user("user_1")
        async with storage.transaction() as tx:
            left = await tx.lease_messages(NOW, LATER, 10)
        # To what it only claimed, those that it asked for: others are its owner's.
        assert {one.id for one in left} == {"msg_2", "msg_3"}

    async def test_a_deleted_account_takes_all_that_is_its_own(self, storage: Storage) -> None:
        await keep(storage, an.user(), bea())
        async with storage.transaction() as tx:
            await tx.add_pending_address(CLAIM)
            await tx.add_session(an.session())
            await tx.save_reverification(
                Reverification(
                    "srv_1", "sess_1", Level.FIRST_FACTOR, ReverificationStatus.COMPLETE, NOW, LATER
                )
            )
            await tx.replace_backup_codes("user_1", [b"1"])
            await tx.set_image("user_1", PICTURE, NOW)
            assert await tx.delete_user("user_1")
            assert not await tx.delete_user("user_1")
        async with storage.transaction() as tx:
            assert await tx.user("user_1") is None
            assert await tx.user_by_address(EMAIL) is None
            assert await tx.session("sess_1") is None
            assert await tx.reverification("sess_1") is None
            assert await tx.image("img_1") is None
            assert not await tx.use_backup_code("user_1", b"1", NOW)
            assert await tx.user("user_2")


class TestAddresses:
    async def test_a_claim_is_seen_by_its_maker_alone(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.add_pending_address(CLAIM)
            assert await tx.user_by_address(PHONE) is None
        assert (await kept(storage)).addresses == (an.owned(), CLAIM)

    async def test_two_can_claim_the_same(self, storage: Storage) -> None:
        await keep(storage, an.user(), bea())
        async with storage.transaction() as tx:
            await tx.add_pending_address(CLAIM)
            await tx.add_pending_address(replace(CLAIM, id="idn_3", user_id="user_2"))
        assert [len((await kept(storage, f"user_{n}")).of_kind(Kind.PHONE)) for n in (1, 2)] == [
            1, 1,
        ]  # fmt: skip

    async def test_one_person_claims_it_once(self, storage: Storage) -> None:
        await keep(storage, an.user())
        with pytest.raises(Conflict):
            async with storage.transaction() as tx:
                await tx.add_pending_address(CLAIM)
                await tx.add_pending_address(replace(CLAIM, id="idn_3"))

    async def test_a_claim_brings_its_verification(self, storage: Storage) -> None:
        await keep(storage, an.user())
        verification = an.verification(attempt_id="idn_2", address=PHONE)
        async with storage.transaction() as tx:
            await tx.add_pending_address(CLAIM)
            await tx.add_verification(verification, delete_at=NEXT_DAY)
        assert (await kept(storage)).owned("idn_2") == replace(CLAIM, verification=verification)

    async def test_a_proved_claim_is_theirs(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.add_pending_address(CLAIM)
            await tx.claim_address(PROVED)
            found = await tx.user_by_address(PHONE)
        assert found == await kept(storage)
        assert found.addresses == (an.owned(), PROVED)

    async def test_an_unproved_address_of_a_sign_up_is_proved_in_its_place(
        self, storage: Storage
    ) -> None:
        unproved = an.owned(verified_at=None)
        verification = an.verification(attempt_id="idn_1")
        await keep(storage, an.user(addresses=(unproved,)))
        async with storage.transaction() as tx:
            await tx.add_verification(verification, delete_at=NEXT_DAY)
            user = await tx.user("user_1")
            assert user
            assert user.addresses == (replace(unproved, verification=verification),)
            await tx.claim_address(an.owned(verified_at=NOW + 1))
        assert (await kept(storage)).addresses == (an.owned(verified_at=NOW + 1),)

    async def test_what_is_not_proved_becomes_a_claim_when_it_is_released(
        self, storage: Storage
    ) -> None:
        unproved = replace(CLAIM, address=EMAIL, verified_at=None)
        verification = an.verification(attempt_id=CLAIM.id, address=EMAIL)
        proved = an.owned(address=PHONE)
        await keep(storage, an.user(addresses=(proved, unproved)), bea())
        async with storage.transaction() as tx:
            await tx.add_verification(verification, delete_at=NEXT_DAY)
            await tx.release_addresses("user_2")
            assert await tx.user_by_address(EMAIL)
            await tx.release_addresses("user_1")
            assert await tx.user_by_address(EMAIL) is None
            assert await tx.user_by_address(PHONE)
            assert await tx.lock_mailbox("ada@example.com") == []
        released = replace(unproved, verification=verification)
        assert (await kept(storage)).addresses == (proved, released)

    async def test_what_an_address_is_used_for_is_replaced(self, storage: Storage) -> None:
        await keep(storage, an.user())
        changed = an.owned(
            updated_at=NOW + 1, reserved_for_second_factor=True, default_second_factor=True
        )
        async with storage.transaction() as tx:
            await tx.save_address(changed)
        assert (await kept(storage)).addresses == (changed,)

    async def test_owned_or_claimed_it_can_go_once(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.add_pending_address(CLAIM)
            assert [await tx.delete_address(one) for one in ("idn_1", "idn_2")] == [True, True]
            assert not await tx.delete_address("idn_1")
            assert await tx.user_by_address(EMAIL) is None
        assert (await kept(storage)).addresses == ()


class TestMailboxes:
    async def test_all_that_is_owned_in_a_mailbox_is_found(self, storage: Storage) -> None:
        tagged = replace(EMAIL, value="ada+x@example.com", spelling="Ada+x@example.com")
        await keep(storage, an.user(), replace(bea(), addresses=(of_bea(tagged),)))
        async with storage.transaction() as tx:
            assert await tx.lock_mailbox("ada@example.com") == [an.owned(), of_bea(tagged)]
            assert await tx.lock_mailbox("ada+x@example.com") == []

    async def test_gmails_dots_and_names_are_one_mailbox(self, storage: Storage) -> None:
        dotted = replace(EMAIL, value="a.da@googlemail.com")
        await keep(storage, an.user(addresses=(an.owned(address=dotted),)))
        async with storage.transaction() as tx:
            assert await tx.lock_mailbox("ada@gmail.com") == [an.owned(address=dotted)]

    async def test_a_claim_is_in_no_mailbox_until_it_is_proved(self, storage: Storage) -> None:
        tagged = replace(EMAIL, value="ada+x@example.com")
        claim = replace(CLAIM, address=tagged)
        await keep(storage, an.user(addresses=()))
        async with storage.transaction() as tx:
            await tx.add_pending_address(claim)
            assert await tx.lock_mailbox("ada@example.com") == []
            await tx.claim_address(replace(PROVED, address=tagged))
            assert await tx.lock_mailbox("ada@example.com") == [replace(PROVED, address=tagged)]
            await tx.delete_address(PROVED.id)
            assert await tx.lock_mailbox("ada@example.com") == []

    async def test_test_addresses_and_numbers_are_in_none(self, storage: Storage) -> None:
        tester = replace(EMAIL, value="ada+clerk_test@example.com", is_test=True)
        owned = an.owned(address=tester), an.owned(id="idn_2", address=PHONE)
        await keep(storage, an.user(addresses=owned))
        async with storage.transaction() as tx:
            for mailbox in ("ada@example.com", tester.value, PHONE.value):
                assert await tx.lock_mailbox(mailbox) == []

    async def test_of_twenty_who_would_be_the_first_one_is(self, storage: Storage) -> None:
        async def join(tx: Transaction, number: int) -> bool:
            if await tx.lock_mailbox("ada@example.com"):
                return False
            await asyncio.sleep(0)  # long enough for the others to look, if they could
            address = replace(EMAIL, value=f"ada+{number}@example.com")
            owned = an.owned(id=f"idn_{number}", user_id=f"user_{number}", address=address)
            await tx.add_user(an.user(id=f"user_{number}", addresses=(owned,)))
            return True

        assert (await at_once(storage, 20, join)).count(True) == 1


class TestBans:
    async def test_a_session_knows_that_its_person_is_banned(self, storage: Storage) -> None:
        await keep(storage, an.user())
        for banned in (False, True):
            async with storage.transaction() as tx:
                await (
                    tx.save_user(an.user(banned=True)) if banned else tx.add_session(an.session())
                )
                found = [
                    await tx.session("sess_1"),
                    *await tx.live_sessions("client_1", NOW),
                    *await tx.sessions_of_user("user_1", NOW),
                ]
            assert found == [an.session(is_banned=banned)] * 3


class TestBackupCodes:
    async def test_they_are_counted_and_each_is_used_once(self, storage: Storage) -> None:
        await keep(storage, an.user(), bea())
        async with storage.transaction() as tx:
            await tx.replace_backup_codes("user_1", [b"1", b"2"])
            assert not await tx.use_backup_code("user_2", b"1", NOW)
            assert not await tx.use_backup_code("user_1", b"3", NOW)
            assert await tx.use_backup_code("user_1", b"1", NOW)
            assert not await tx.use_backup_code("user_1", b"1", NOW)
        assert [(await kept(storage, f"user_{n}")).backup_codes for n in (1, 2)] == [1, 0]

    async def test_fresh_ones_take_the_place_of_all(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.replace_backup_codes("user_1", [b"1", b"2"])
            await tx.replace_backup_codes("user_1", [b"3"])
            assert not await tx.use_backup_code("user_1", b"1", NOW)
        assert (await kept(storage)).backup_codes == 1


class TestPictures:
    async def test_a_person_has_one(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.set_image("user_1", PICTURE, NOW + 1)
            assert await tx.image("img_1") == PICTURE[1:]
            await tx.set_image("user_1", ("img_2", "image/png", b"2"), NOW + 2)
            assert await tx.image("img_1") is None
            assert await tx.image("img_2") == ("image/png", b"2")
        user = await kept(storage)
        assert (user.image_id, user.updated_at) == ("img_2", NOW + 2)

    async def test_or_none(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.set_image("user_1", PICTURE, NOW)
            await tx.set_image("user_1", None, NOW + 1)
            assert await tx.image("img_1") is None
        assert (await kept(storage)).image_id is None

    async def test_saving_the_account_leaves_it(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.set_image("user_1", PICTURE, NOW)
            await tx.save_user(an.user())
        assert (await kept(storage)).image_id == "img_1"


class TestSessionsOfAPerson:
    async def test_all_that_live_are_listed_whatever_the_client(self, storage: Storage) -> None:
        device = Device("Firefox", "130.0", "Linux", False, "192.0.2.7")
        mine: list[Session] = [
            an.session(device=device, first_factor_at=NOW, second_factor_at=NOW + 1),
            an.session(id="sess_2", client_id="client_2", created_at=NOW + 1),
            an.session(id="sess_3", status=SessionStatus.PENDING, created_at=NOW + 2),
        ]
        others = [
            an.session(id="sess_4", status=SessionStatus.REVOKED),
            an.session(id="sess_5", expire_at=NOW),
            an.session(id="sess_6", user_id="user_2"),
        ]
        await keep(storage, an.user(), bea())
        async with storage.transaction() as tx:
            for one in reversed([*mine, *others]):
                await tx.add_session(one)
            assert await tx.sessions_of_user("user_1", NOW) == mine

    async def test_all_end_at_once(self, storage: Storage) -> None:
        await keep(storage, an.user(), bea())
        async with storage.transaction() as tx:
            for number, user_id in enumerate(["user_1", "user_1", "user_2"]):
                await tx.add_session(an.session(id=f"sess_{number}", user_id=user_id))
            ended = await tx.end_sessions_of_user("user_1", SessionStatus.REVOKED, NOW + 1)
            assert ended == 2
            assert await tx.sessions_of_user("user_1", NOW) == []
            assert len(await tx.sessions_of_user("user_2", NOW)) == 1

    async def test_one_that_waits_is_let_in_once(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.add_session(an.session(status=SessionStatus.PENDING))
            assert await tx.activate_session("sess_1", NOW + 1)
            assert not await tx.activate_session("sess_1", NOW + 1)
            session = await tx.session("sess_1")
        assert session == an.session(updated_at=NOW + 1)

    async def test_one_that_is_over_is_not_let_in(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.add_session(an.session(status=SessionStatus.REVOKED))
            assert not await tx.activate_session("sess_1", NOW)

    async def test_when_factors_were_proved_is_replaced(self, storage: Storage) -> None:
        changed = an.session(first_factor_at=NOW + 1, second_factor_at=NOW + 2, updated_at=NOW + 3)
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.add_session(an.session())
            await tx.save_factor_times(changed)
            assert await tx.session("sess_1") == changed

    async def test_a_client_remembers_who_was_there(self, storage: Storage) -> None:
        await keep(storage, an.user(), bea())
        async with storage.transaction() as tx:
            await tx.add_device("client_1", "user_1", NOW)
            assert await tx.has_been_here("client_1", "user_1")
            assert not await tx.has_been_here("client_2", "user_1")
            assert not await tx.has_been_here("client_1", "user_2")


class TestAccountRaces:
    async def test_of_many_claims_one_is_granted(self, storage: Storage) -> None:
        people = [an.user(id=f"user_{n}", addresses=(), primary_email_id=None) for n in range(6)]
        claims = [replace(CLAIM, id=f"idn_{n}", user_id=f"user_{n}") for n in range(6)]
        await keep(storage, *people)
        async with storage.transaction() as tx:
            for claim in claims:
                await tx.add_pending_address(claim)

        async def prove(claim: OwnedAddress) -> None:
            async with storage.transaction() as tx:
                await tx.claim_address(replace(claim, verified_at=NOW))

        outcomes = await asyncio.gather(*map(prove, claims), return_exceptions=True)
        assert [type(one) for one in outcomes].count(Conflict) == 5
        winner = outcomes.index(None)
        async with storage.reading() as tx:
            found = await tx.user_by_address(PHONE)
        assert found
        assert found.id == f"user_{winner}"
        # What was taken back leaves the claim where it was.
        losers = [await kept(storage, f"user_{n}") for n in range(6) if n != winner]
        assert all(len(one.addresses) == 1 and not one.addresses[0].is_verified for one in losers)

    async def test_a_backup_code_is_used_by_one(self, storage: Storage) -> None:
        await keep(storage, an.user())
        async with storage.transaction() as tx:
            await tx.replace_backup_codes("user_1", [b"1"])
        used = await at_once(storage, 10, lambda tx, _: tx.use_backup_code("user_1", b"1", NOW))
        assert used.count(True) == 1

    async def test_an_address_is_deleted_by_one(self, storage: Storage) -> None:
        await keep(storage, an.user())
        gone = await at_once(storage, 10, lambda tx, _: tx.delete_address("idn_1"))
        assert gone.count(True) == 1

    async def test_units_of_one_person_wait_for_each_other(self, storage: Storage) -> None:
        await keep(storage, an.user(updated_at=0))

        async def count_one() -> None:
            async with storage.transaction() as tx:
                user = await tx.lock_user("user_1")
                assert user
                await tx.save_user(replace(user, updated_at=user.updated_at + 1))

        await asyncio.gather(*(count_one() for _ in range(30)))
        assert (await kept(storage)).updated_at == 30
