"""One account a mailbox, where the instance blocks sub-addresses.

Nobody who asks here has proved the mailbox yet, and is told that somebody has an account
by it: that is the rule itself. The lists and the disposable domains tell nothing, and are
asked first (`domain/sign_up.py: expect_allowed`).
"""

from __future__ import annotations

from doorcode.domain import errors
from doorcode.domain.addresses import Address
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.restrictions import mailbox_of
from doorcode.flows.deps import Deps
from doorcode.storage.interface import Transaction


async def expect_free(
    deps: Deps, tx: Transaction, address: Address, user_id: str | None = None
) -> None:
    """Refuse an address of a mailbox by which somebody else than this user has an account."""
    refusal = await refusal_of(deps, tx, address, user_id)
    if refusal:
        raise Refused(refusal)


async def refusal_of(
    deps: Deps, tx: Transaction, address: Address, user_id: str | None = None
) -> Refusal | None:
    """The same as a value. Whoever adds the address in this unit is the only one who can."""
    rules, mailbox = deps.instance.restrictions, mailbox_of(address)
    if not rules.block_email_subaddresses or mailbox is None:
        return None
    others = [one for one in await tx.lock_mailbox(mailbox) if one.user_id != user_id]
    if any(rules.is_one_mailbox(address, one.address) for one in others):
        return errors.MAILBOX_TAKEN.about(address.kind)
    return None
