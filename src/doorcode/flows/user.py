"""Looking people up."""

from __future__ import annotations

from doorcode.domain import errors
from doorcode.domain.errors import Refused
from doorcode.domain.user import User
from doorcode.flows import guesses
from doorcode.flows.deps import Deps


async def get(deps: Deps, user_id: str) -> User:
    """An account, or `Refused`."""
    async with deps.storage.reading() as tx:
        user = await tx.user(user_id)
    if user is None:
        raise Refused(errors.NOT_FOUND)
    return user


async def standing(deps: Deps, user_id: str) -> guesses.Standing:
    """Whether everybody else has used up the guesses at an account; nothing is counted by it."""
    async with deps.storage.reading() as tx:
        return await guesses.standing_of(deps, tx, user_id)
