"""Codes that a person writes down, for the day when the phone is lost. Each works once."""

from __future__ import annotations

from doorcode.domain.limits import BACKUP_CODES
from doorcode.flows.deps import Deps
from doorcode.storage.interface import Transaction

_LOOK_ALIKES = str.maketrans("oil", "011")


def digest_backup_code(deps: Deps, user_id: str, typed: str) -> bytes:
    """What is kept of a backup code, however it was typed: without case, spaces, hyphens."""
    return _digests(deps, user_id, typed)[0]


async def use(deps: Deps, tx: Transaction, user_id: str, typed: str) -> bool:
    """Use a backup code up, in the unit that opens what it opens; False where it is none."""
    for digest in _digests(deps, user_id, typed):
        if await tx.use_backup_code(user_id, digest, deps.now()):
            return True
    return False


def _digests(deps: Deps, user_id: str, typed: str) -> list[bytes]:
    plain = "".join(typed.replace("-", "").split()).lower().translate(_LOOK_ALIKES)
    return deps.codes.backup_digests(user_id, plain)


async def issue(deps: Deps, tx: Transaction, user_id: str) -> tuple[str, ...]:
    """Fresh codes in the unit under way. They can be read now and never again."""
    codes = tuple(deps.codes.make_backup() for _ in range(BACKUP_CODES))
    digests = [digest_backup_code(deps, user_id, code) for code in codes]
    await tx.replace_backup_codes(user_id, digests)
    return codes
