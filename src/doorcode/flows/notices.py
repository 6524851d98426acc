"""Letters that carry no code: an invitation, a word from the waitlist, a word to an owner."""

from __future__ import annotations

from doorcode.domain.addresses import Address
from doorcode.domain.message import Message
from doorcode.domain.user import User
from doorcode.flows.deps import Deps
from doorcode.security.random_ids import new_id
from doorcode.storage.interface import Transaction


def mailbox_of(deps: Deps, owner: User) -> Address | None:
    """Where somebody is told by mail of what was tried with an address of theirs."""
    primary = owner.owned(owner.primary_email_id or "")
    if primary is None or not primary.is_verified or not can_send(deps, primary.address):
        return None
    return primary.address


def can_send(deps: Deps, address: Address) -> bool:
    """Whether a letter to this address would go anywhere."""
    return deps.post.can_send(address.channel, address.is_test)


async def write(
    deps: Deps, tx: Transaction, about: str, address: Address, packed: bytes, expires_at: int
) -> Message:
    """Put a letter in the outbox, in the unit under way; `codes.post` sends it after that.

    `about` is the id of what it is about. `retire_attempt` with that id takes it back as
    long as it was not sent. It is sealed like a code, for its link is worth as much.
    """
    now = deps.now()
    message_id = new_id("msg", now)
    message = Message(
        id=message_id,
        verification_id=about,
        channel=address.channel,
        recipient=address.spelling,
        is_test=address.is_test,
        sealed=deps.sealer.seal(f"outbox/{message_id}", packed),
        created_at=now,
        expires_at=expires_at,
    )
    await tx.add_message(message)
    return message
