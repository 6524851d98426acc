"""All that the server may ask of a database.

A unit of work is an `async with storage.transaction() as tx`. What is done in it is
committed together when the block ends, and taken back together when it raises. The
block ends only after the commit is durable, so an answer never runs ahead of the disk.

What an engine must promise (the conformance suite holds it to this, races included):

- Units are isolated: no unit sees another's uncommitted writes.
- `lock_client` makes later units of the same client wait until this one has ended.
- A method that returns a bool or a count is one conditional statement: of any number
  of callers at once, exactly as many succeed as the condition allows.
- Nothing inside a unit waits for anything but the database.
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from typing import Protocol

from doorcode.domain.addresses import Address
from doorcode.domain.breaker import Conversion
from doorcode.domain.client import Client, DevBrowser
from doorcode.domain.event import Event, Recorded
from doorcode.domain.message import Message, Posted, State, Step, Suppression
from doorcode.domain.reverification import Reverification
from doorcode.domain.send import Pause, Send, SendBudget
from doorcode.domain.session import Session
from doorcode.domain.session import Status as SessionStatus
from doorcode.domain.shield import Tally
from doorcode.domain.sign_in import SignIn
from doorcode.domain.sign_up import SignUp
from doorcode.domain.ticket import Listing, Ticket, TicketStatus, WaitlistEntry, WaitlistStatus
from doorcode.domain.user import OwnedAddress, User
from doorcode.domain.verification import Code, Verification
from doorcode.domain.verification import Status as VerificationStatus


class Conflict(Exception):
    """An address belongs to another user already."""


class Unavailable(Exception):
    """The database cannot be used: it is locked, full, gone or not ours."""


@dataclass(frozen=True, slots=True)
class SealedKey:
    """An RSA key pair at rest: `sealed` is the private key under the master key.

    `signs_from` is when its turn begins (`domain.key_rotation`).
    """

    id: str
    sealed: bytes
    created_at: int
    signs_from: int


class Transaction(Protocol):
    """One unit of work. Times are milliseconds since the epoch, digests are bytes."""

    # ── clients ───────────────────────────────────────────────────────────────────────
    async def add_client(self, client: Client, digest: bytes) -> None:
        """Remember a new client under the digest of its cookie."""

    async def client_by_digest(self, digest: bytes) -> Client | None:
        """The client whose cookie has this digest."""

    async def lock_client(self, client_id: str) -> Client | None:
        """The client, held until the unit ends."""

    async def save_client(self, client: Client) -> None:
        """Replace what a client is doing; a solved challenge stays as it is."""

    async def remember_human(self, client_id: str, until: int) -> None:
        """Remember that a person solved a challenge at this client."""

    async def use_human(self, client_id: str, now: int) -> bool:
        """Forget it, for it was used; False where nothing is remembered (any more)."""

    async def rotate_client(self, client_id: str, digest: bytes) -> None:
        """Give a client another cookie; the former one opens nothing from then on."""

    async def delete_client(self, client_id: str) -> None:
        """Forget a client."""

    async def add_dev_browser(self, digest: bytes, browser: DevBrowser) -> None:
        """Remember a browser of a development instance."""

    async def dev_browser(self, digest: bytes) -> DevBrowser | None:
        """The browser whose token has this digest."""

    async def attach_dev_browser(self, digest: bytes, client_id: str) -> None:
        """Say which client a browser has become."""

    # ── attempts ──────────────────────────────────────────────────────────────────────
    async def add_sign_up(self, sign_up: SignUp) -> None:
        """Remember a new attempt to sign up."""

    async def sign_up(self, sign_up_id: str) -> SignUp | None:
        """An attempt to sign up, with its verifications."""

    async def save_sign_up(self, sign_up: SignUp) -> None:
        """Replace an attempt; its verifications are saved by their own methods."""

    async def add_sign_in(self, sign_in: SignIn) -> None:
        """Remember a new attempt to sign in."""

    async def sign_in(self, sign_in_id: str) -> SignIn | None:
        """An attempt to sign in, with the verifications asked for last in each step."""

    async def save_sign_in(self, sign_in: SignIn) -> None:
        """Replace an attempt; its verification is saved by its own methods."""

    # ── verifications and codes ───────────────────────────────────────────────────────
    async def add_verification(self, verification: Verification, delete_at: int) -> None:
        """Start a verification; an earlier one of the same attempt and address goes."""

    async def verification_of(self, attempt_id: str, address: Address) -> Verification | None:
        """The verification of an address within an attempt."""

    async def count_try(self, verification_id: str, most: int, now: int) -> int | None:
        """Count one try where one is left, in one statement; its number from 1, or None."""

    async def settle(self, verification_id: str, status: VerificationStatus) -> bool:
        """Move an unverified verification to `status`; False where it no longer is one.

        This is the one conditional write that consumes a code. Its codes go with it.
        """

    async def extend(self, verification: Verification) -> None:
        """Say that another code was sent: when, by which channel, valid until when."""

    async def add_code(self, verification_id: str, code: Code, keep: int) -> None:
        """Add a code; of the earlier ones only the newest stay, `keep` in all."""

    async def codes(self, verification_id: str) -> list[Code]:
        """The codes that were sent, expired ones included."""

    async def retire_attempt(self, attempt_id: str) -> None:
        """Forget an attempt's verifications, its codes and its unsent messages."""

    # ── guesses, codes sent, money ────────────────────────────────────────────────────
    async def spend_guess(
        self, guess_id: str, subject: str, most: int, since: int, now: int
    ) -> bool:
        """Count one guess at `subject` where fewer than `most` were made after `since`.

        The subject is an address's `name`, or whatever else can be guessed at.
        """

    async def refund_guess(self, guess_id: str) -> None:
        """Take a guess back: it was right."""

    async def nth_latest_guess(self, subject: str, nth: int, since: int) -> int | None:
        """When the nth latest guess after `since` was made, from 1."""

    async def guesses_at_user(self, user_id: str, since: int) -> dict[str, list[int]]:
        """When everybody else guessed at each address that a person owns, oldest first."""

    async def count_guesses(self, subject: str, since: int) -> int:
        """How many guesses at a subject were made after `since`."""

    async def add_send(self, send: Send, budget: SendBudget) -> bool:
        """Count a code to be sent, where its subject has one left in both windows."""

    async def nth_latest_send(self, subject: str, nth: int, since: int) -> int | None:
        """When the nth latest code after `since` was sent, from 1."""

    async def count_sends(self, subject: str, since: int) -> int:
        """How many codes a subject was sent after `since`."""

    async def verify_sends(
        self, verification_id: str, now: int
    ) -> list[tuple[int, tuple[str, ...]]]:
        """Note that the codes of a verification were of use: when each was sent, and its tallies.

        Those that were noted before are left out.
        """

    async def tallies(self, subjects: Iterable[str]) -> dict[str, Tally]:
        """What was counted under these names; held until the unit ends."""

    async def save_tallies(self, tallies: Iterable[Tally]) -> None:
        """Replace what is counted under these names."""

    async def money_spent(self, country: str, day: int) -> int:
        """What a country's messages have cost on a day (UTC, days since the epoch), in
        millionths of a dollar."""

    async def money_of_day(self, day: int) -> list[tuple[str, int]]:
        """What the messages to each country have cost on a day; the most first."""

    async def spend_money(self, country: str, day: int, price: int, most: int) -> bool:
        """Take a price where `most` is not exceeded by it, in one conditional statement."""

    async def pause(self, country: str) -> Pause | None:
        """Since when and why a country's messages are held."""

    async def pauses(self) -> list[Pause]:
        """All countries whose messages are held, in the order in which they were paused."""

    async def add_pause(self, pause: Pause) -> bool:
        """Hold a country's messages; False where they are held already."""

    async def delete_pause(self, country: str) -> bool:
        """Let a country's messages go again; False where they were not held."""

    # ── the audit log ─────────────────────────────────────────────────────────────────
    async def add_event(self, event_id: str, event: Event, now: int) -> None:
        """Append a line. There is no method that changes one."""

    async def events(
        self, since: int, most: int, *, subject: str = "", name: str = ""
    ) -> list[Recorded]:
        """Lines from `since` on, newest first; those about a subject, or of a name."""

    # ── devices ───────────────────────────────────────────────────────────────────────
    async def add_device(self, client_id: str, user_id: str, now: int) -> None:
        """Note that a person is signed in on a client."""

    async def is_known_device(self, client_id: str, address: Address) -> bool:
        """Whether a client is among the last few on which an address's owner signed in."""

    async def has_been_here(self, client_id: str, user_id: str) -> bool:
        """Whether a client is among the last few on which a person signed in."""

    # ── users ─────────────────────────────────────────────────────────────────────────
    async def add_user(self, user: User) -> None:
        """Remember a new account with its addresses, or `Conflict`."""

    async def user(self, user_id: str) -> User | None:
        """An account with its addresses, those that are only claimed included."""

    async def lock_user(self, user_id: str) -> User | None:
        """The account, held until the unit ends."""

    async def user_by_address(self, address: Address, *, evenly: bool = False) -> User | None:
        """The account that owns an address; one that only claims it does not count.

        With `evenly` an account is read whether or not there is one, so that the time is the
        same, and without what it only claims: its number would show in the time.
        """

    async def lock_mailbox(self, mailbox: str) -> list[OwnedAddress]:
        """The owned addresses of a mailbox (see `mailbox_of`); held until the unit ends.

        Held also where there are none yet: of two who want to be its first, one waits.
        """

    async def user_by_username(self, value: str) -> User | None:
        """The account of a username, given in the form that is compared."""

    async def user_signed_in(self, user_id: str, now: int) -> None:
        """Note the time of a sign-in."""

    async def save_user(self, user: User) -> None:
        """Replace what an account says, but its addresses and picture, or `Conflict`."""

    async def delete_user(self, user_id: str) -> bool:
        """Delete an account with all that is its own, the letters to its addresses included."""

    # ── addresses of an account ───────────────────────────────────────────────────────
    async def add_pending_address(self, owned: OwnedAddress) -> None:
        """Note that somebody says an address is theirs."""

    async def claim_address(self, owned: OwnedAddress) -> None:
        """Make a claimed address theirs, or `Conflict` where somebody was first."""

    async def release_addresses(self, user_id: str) -> None:
        """Make what an account owns without proof mere claims, which keep nobody out."""

    async def save_address(self, owned: OwnedAddress) -> None:
        """Replace what an owned address is used for."""

    async def delete_address(self, address_id: str) -> bool:
        """Take an address, owned or claimed, off its account."""

    # ── backup codes and pictures ─────────────────────────────────────────────────────
    async def replace_backup_codes(self, user_id: str, digests: list[bytes]) -> None:
        """Give a person other backup codes; the earlier ones are worth nothing."""

    async def use_backup_code(self, user_id: str, digest: bytes, now: int) -> bool:
        """Use a backup code up, in one conditional statement."""

    async def set_image(self, user_id: str, image: tuple[str, str, bytes] | None, now: int) -> None:
        """Replace a person's picture: its id, content type and bytes."""

    async def image(self, image_id: str) -> tuple[str, bytes] | None:
        """The content type and bytes of a picture."""

    # ── sessions ──────────────────────────────────────────────────────────────────────
    async def add_session(self, session: Session) -> None:
        """Remember a new session."""

    async def session(self, session_id: str) -> Session | None:
        """A session, whatever its status."""

    async def live_sessions(self, client_id: str, now: int) -> list[Session]:
        """The sessions that stand for somebody on a client, oldest first."""

    async def sessions_of_user(self, user_id: str, now: int) -> list[Session]:
        """The live sessions of a person on all clients, oldest first."""

    async def end_session(self, session_id: str, status: SessionStatus, now: int) -> bool:
        """Move a live session to `status`; False where it is live no more."""

    async def end_sessions_of_user(self, user_id: str, status: SessionStatus, now: int) -> int:
        """Move all live sessions of a person to `status`; how many there were."""

    async def touch_session(self, session_id: str, now: int) -> None:
        """Note that a session was used."""

    async def activate_session(self, session_id: str, now: int) -> bool:
        """Move a pending session to active; False where it is not pending."""

    async def save_factor_times(self, session: Session) -> None:
        """Note when the person of a session last proved each factor."""

    # ── reverifications ───────────────────────────────────────────────────────────────
    async def save_reverification(self, one: Reverification) -> None:
        """Remember a reverification in the place of the session's earlier one."""

    async def reverification(self, session_id: str) -> Reverification | None:
        """The newest of a session, with the verifications asked for last in each step."""

    # ── tickets and the waitlist ──────────────────────────────────────────────────────
    async def add_ticket(self, ticket: Ticket) -> None:
        """Remember a ticket."""

    async def ticket(self, ticket_id: str) -> Ticket | None:
        """A ticket, whatever its status."""

    async def settle_ticket(self, ticket_id: str, status: TicketStatus, now: int) -> bool:
        """Move a pending ticket to `status`, in one conditional statement."""

    async def invitations(self, wanted: Listing, now: int) -> tuple[list[Ticket], int]:
        """A page of invitations, and how many there are in all."""

    async def tickets_of_email(self, email: Address) -> list[Ticket]:
        """The invitations of an address, newest first."""

    async def add_waitlist_entry(self, entry: WaitlistEntry) -> None:
        """Remember that somebody waits, or `Conflict` where they do already."""

    async def save_waitlist_entry(self, entry: WaitlistEntry, was: WaitlistStatus) -> bool:
        """Replace what was decided about an entry; False where it no longer is as it was."""

    async def delete_waitlist_entry(self, entry_id: str) -> bool:
        """Forget an entry that is pending, in one conditional statement."""

    async def waitlist_entry(self, entry_id: str) -> WaitlistEntry | None:
        """An entry by its id."""

    async def waitlist_entry_of(self, email: Address) -> WaitlistEntry | None:
        """The entry of an address."""

    async def count_waitlist_entries(self) -> int:
        """How many entries there are, decided ones included."""

    async def waitlist_entries(self, wanted: Listing) -> tuple[list[WaitlistEntry], int]:
        """A page of entries, and how many there are in all."""

    # ── outbox ────────────────────────────────────────────────────────────────────────
    async def add_message(self, message: Message) -> None:
        """Put a message where a courier will find it."""

    async def lease_messages(self, now: int, until: int, most: int) -> list[Message]:
        """Take messages to send; nobody else gets them before `until`."""

    async def lease_message(self, message_id: str, now: int, until: int) -> Message | None:
        """Take one message to send, where nobody else has it."""

    async def message_taken(self, message: Message, step: Step, country: str) -> bool:
        """Note that a route took it and erase the code; False where that was noted already.

        Whoever holds the lease by now: what was sent was sent.
        """

    async def message_deferred(self, message: Message, retry_at: int, why: str) -> None:
        """Give a message back, to be tried at `retry_at`; only whoever leased it last may."""

    async def message_failed(self, message: Message, why: str) -> None:
        """Give up on a message and erase the code; only whoever leased it last may."""

    async def next_message_at(self) -> int | None:
        """When the next message may be sent, if any waits."""

    # ── timelines, receipts, figures ──────────────────────────────────────────────────
    async def add_step(self, step: Step) -> None:
        """Add a line to a message's timeline, after those that are there."""

    async def steps(self, message_id: str) -> list[Step]:
        """A message's timeline, the first step first."""

    async def last_route(self, message: Message) -> str:
        """The route that took an earlier message of the same verification; empty for none."""

    async def message_by_ref(self, route: str, ref: str) -> str | None:
        """The id of the message that a route calls `ref`."""

    async def advance_message(
        self, posted: Posted, state: State, at: int, price: int | None
    ) -> bool:
        """Move a message on from the state that was read; False where it has moved since."""

    async def posted(self, message_id: str) -> Posted | None:
        """What is known of a message."""

    async def posted_to(self, recipient: str | None, most: int) -> list[Posted]:
        """The latest messages, to one recipient or to anybody."""

    async def posted_since(self, since: int, until: int) -> list[Posted]:
        """The codes that were written in a time, for figures; none to test addresses."""

    async def conversions(self, since: int, until: int) -> dict[tuple[str, str], Conversion]:
        """By channel and route: of the codes of a time, how many it took, and were typed."""

    async def suppress(self, suppression: Suppression) -> None:
        """Send nothing to a mailbox any more; the first reason stays."""

    async def suppression(self, address: str) -> Suppression | None:
        """Why nothing is sent to a mailbox, or None."""

    async def suppressions(self, most: int) -> list[Suppression]:
        """The mailboxes to which nothing is sent, the latest first."""

    async def unsuppress(self, address: str) -> bool:
        """Send to a mailbox again; False where that was never stopped."""

    # ── keys and settings of the instance ─────────────────────────────────────────────
    async def setting(self, name: str) -> bytes | None:
        """A value of the instance, such as its id."""

    async def save_setting(self, name: str, value: bytes) -> None:
        """Replace a value of the instance."""

    async def signing_keys(self) -> list[SealedKey]:
        """The RSA keys, newest first."""

    async def save_signing_key(self, key: SealedKey) -> None:
        """Add an RSA key, or replace the seal of one."""

    async def delete_signing_key(self, key_id: str) -> None:
        """Forget an RSA key."""

    async def add_secret_key(self, digest: bytes, hint: str, now: int) -> None:
        """Remember an API key by its digest; `hint` is what may be shown of it."""

    async def secret_key_digests(self) -> list[bytes]:
        """The digests of the valid API keys, for whoever compares them in constant time."""

    async def secret_keys(self) -> list[tuple[str, int]]:
        """The hints of the valid API keys with the time of their making."""

    async def revoke_secret_key(self, hint: str) -> bool:
        """Make the API key of this hint invalid."""

    # ── handshakes ────────────────────────────────────────────────────────────────────
    async def add_handshake(self, digest: bytes, sealed: bytes, expires_at: int) -> None:
        """Keep the payload of a handshake until the app's server has fetched it."""

    async def handshake(self, digest: bytes, now: int) -> bytes | None:
        """The payload of a handshake that has not expired."""

    # ── cleaning ──────────────────────────────────────────────────────────────────────
    async def delete_expired(self, now: int, most: int) -> int:
        """Delete up to `most` expired rows of each sort; how many went."""


class Storage(Protocol):
    """A database engine."""

    def transaction(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit of work that may write."""

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """A unit of work that only reads what is committed. It never waits for writers."""

    async def is_ready(self) -> bool:
        """Whether the database answers."""

    async def close(self) -> None:
        """Finish what is under way and let go of the database."""
