"""`/v1/waitlist`."""

from __future__ import annotations

from doorcode.domain import errors, limits
from doorcode.domain.addresses import MAX_LENGTH, Kind
from doorcode.domain.errors import Refused
from doorcode.flows import waitlist as story
from doorcode.web.door import Door
from doorcode.web.frontend_api import forms
from doorcode.web.frontend_api.answers import plain
from doorcode.web.http import Request, Response


async def join(door: Door, request: Request) -> Response:
    """Ask to be let in. Whether the address was on the list before is not told."""
    await door.spend(limits.JOIN_WAITLIST, request)
    form = request.form()
    if Kind.EMAIL not in form:
        raise Refused(errors.PARAM_MISSING.about(Kind.EMAIL))
    entry = await story.join(door.deps, forms.limited(form, Kind.EMAIL, MAX_LENGTH))
    return plain({"object": "waitlist_entry", "id": entry.id})
