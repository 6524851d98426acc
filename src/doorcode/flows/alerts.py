"""Letters to the operator: something happened that they may want to undo."""

from __future__ import annotations

from dataclasses import replace

from doorcode.delivery.render import Notice, pack_notice
from doorcode.domain import limits
from doorcode.domain.addresses import parse_email_address
from doorcode.domain.send import Pause
from doorcode.flows import notices
from doorcode.flows.deps import Deps
from doorcode.storage.interface import Transaction

RESUME_PATH = "/shield/resume"
RESUME_TICKET = "ticket"


async def tell_of_pause(deps: Deps, tx: Transaction, pause: Pause) -> bool:
    """Put a letter about a pause in the outbox, with a link that ends it; whether there is one.

    `deps.post.wake` sends it after the commit: whoever was refused does not wait for it.
    """
    instance = deps.instance
    if not instance.alert_email:
        return False
    parsed = parse_email_address(instance.alert_email, test_mode=True)  # as the setting was read
    address = replace(parsed, is_test=parsed.is_test and instance.test_mode)
    if not notices.can_send(deps, address):
        return False
    link = f"{instance.url}{RESUME_PATH}?{RESUME_TICKET}={deps.tickets.resume_text(pause)}"
    days = limits.RESUME_LINK_LIVES_FOR // limits.DAY
    about = {"country": pause.country, "why": pause.why}
    packed = pack_notice(Notice.COUNTRY_PAUSED, instance.name, link, days, about)
    until = pause.at + limits.RESUME_LINK_LIVES_FOR
    await notices.write(deps, tx, f"pause_{pause.country}", address, packed, until)
    return True
