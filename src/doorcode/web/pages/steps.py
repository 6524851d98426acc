"""The two steps of a way in: the address, then the code.

GET  /sign-up          the form that is next: nothing is sent by looking
POST /sign-up          an address ──▶ 303, or the form again with what is wrong
POST /sign-up/code     a code ──▶ 303 to where one wanted to go, or the form again
POST /sign-up/resend   another code, or one to the address chosen ──▶ 303
POST /sign-up/backup   a backup code instead ──▶ as a code
POST /sign-up/details  what is missing ──▶ 303, or the form again
POST /sign-up/restart  another address ──▶ 303
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from doorcode.domain import errors
from doorcode.domain.addresses import MAX_LENGTH, Kind
from doorcode.domain.errors import Refusal, Refused
from doorcode.domain.limits import SEND_CODE
from doorcode.flows import client as clients
from doorcode.flows.client import Answer
from doorcode.flows.deps import Caller
from doorcode.web import challenges, redirects
from doorcode.web.door import Door
from doorcode.web.frontend_api import forms
from doorcode.web.http import Request, Response
from doorcode.web.pages import render, words
from doorcode.web.pages.endpoint import Visit, visit
from doorcode.web.pages.ways import Pending, SignUpWay, Way

_ELSEWHERE = frozenset({errors.IDENTIFIER_TAKEN.code, errors.IDENTIFIER_UNKNOWN.code})
_UNFIT = frozenset(
    {errors.IDENTIFIER_FORMAT.code, errors.PARAM_MISSING.code, errors.PARAM_UNKNOWN.code}
)
_PATIENCE = frozenset(
    {errors.RESEND_TOO_SOON.code, errors.TOO_MANY_REQUESTS.code, errors.SENDS_SPENT.code}
)
_CHALLENGE = frozenset(
    {errors.CAPTCHA_REQUIRED.code, errors.CAPTCHA_MISSING.code, errors.CAPTCHA_INVALID.code}
)
_NEED_ADDRESS = frozenset(
    {errors.NOT_FOUND.code, errors.USER_GONE.code, errors.IDENTIFIER_CLAIMED.code}
)


class Steps:
    """The pages of one way in."""

    def __init__(self, door: Door, way: Way) -> None:
        self._door = door
        self._way = way

    async def show(self, request: Request) -> Response:
        """The form that is next for this browser."""
        here = await visit(self._door, request)
        if here.is_signed_in:
            return redirects.to(here.target or "/")
        return self._next_page(here)

    async def go_back(self, request: Request) -> Response:
        """To the form: a browser that reloads a step's address asks for it by GET."""
        return self._again(await visit(self._door, request))

    async def begin(self, request: Request) -> Response:
        """Take an address and send a code to it."""
        here = await visit(self._door, request)
        if here.is_signed_in:
            return redirects.to(here.target or "/")
        text = ""
        try:
            text = request.form().get("identifier", "").strip()
            await self._door.spend(self._way.create_rate, request)
            await self._door.expect_may_be_told(request)
            typed = _expect_address(text)
            needed = self._way.needs_challenge(self._door.deps.instance)
            caller = await self._met(request, here, needed=needed)
            answer = await self._way.begin(self._door.deps, caller, typed)
        except Refused as refused:
            # What was under way ends here too, or the next page would speak of its address.
            await clients.retire(self._door.deps, here.caller)
            answer = Answer(refusal=refused.refusal)
        self._door.note_told(request, answer.refusal)
        if answer.refusal:
            return self._address_page(here, answer.refusal, text)
        return self._with_cookies(self._again(here), answer)

    async def try_code(self, request: Request) -> Response:
        """Take a code. The right one leads to where one wanted to go."""
        here = await visit(self._door, request)
        pending = self._pending(here)
        if here.is_signed_in or pending is None:
            return self._again(here)
        try:
            await self._door.spend(self._way.attempt_rate, request)
            code = forms.code(request.form())
            caller = await self._met(request, here)
            answer = await self._way.try_code(self._door.deps, caller, pending, code)
        except Refused as refused:
            answer = Answer(refusal=refused.refusal)
        if answer.refusal:
            return self._not_yet(here, pending, answer.refusal)
        return self._onwards(here, answer)

    async def try_backup_code(self, request: Request) -> Response:
        """Take a backup code instead of the one that was sent."""
        here = await visit(self._door, request)
        pending = self._pending(here)
        if here.is_signed_in or pending is None or not pending.takes_backup_code:
            return self._again(here)
        try:
            await self._door.spend(self._way.attempt_rate, request)
            code = forms.code(request.form())
            alone = replace(pending, verification=None)
            caller = await self._met(request, here)
            answer = await self._way.try_code(self._door.deps, caller, alone, code)
        except Refused as refused:
            answer = Answer(refusal=refused.refusal)
        if answer.refusal:
            return self._not_yet(here, pending, answer.refusal, form="backup")
        return self._onwards(here, answer)

    async def resend(self, request: Request) -> Response:
        """Send another code, or one to the address that was chosen."""
        here = await visit(self._door, request)
        pending = self._pending(here)
        if here.is_signed_in or pending is None:
            return self._again(here)
        named = request.form().get("to")
        choice = next((one for one in pending.choice if one.id == named), None)
        try:
            await self._door.spend(SEND_CODE, request)
            caller = await self._met(request, here)
            await self._way.send_code(self._door.deps, caller, pending, choice)
        except Refused as refused:
            return self._not_yet(here, pending, refused.refusal, form="resend")
        return self._again(here)

    async def tell(self, request: Request) -> Response:
        """Take what was missing of the person's details."""
        here = await visit(self._door, request)
        missing = self._way.missing(here.view, self._door.deps.instance)
        attempt = here.view.sign_up if here.view else None
        if here.is_signed_in or not missing or attempt is None:
            return self._again(here)
        form: dict[str, str] = {}
        try:
            form = {name: text for name, text in request.form().items() if name in missing}
            await self._door.spend(SEND_CODE, request)
            await self._door.expect_may_be_told(request)
            _expect_all(missing, form)
            caller = await self._met(request, here)
            answer = await SignUpWay().tell(self._door.deps, caller, attempt, form)
        except Refused as refused:
            answer = Answer(refusal=refused.refusal)
        self._door.note_told(request, answer.refusal)
        if answer.refusal:
            return self._details_page(here, missing, answer.refusal, form)
        return self._onwards(here, answer)

    async def restart(self, request: Request) -> Response:
        """Let go of the attempt, to start with another address."""
        here = await visit(self._door, request)
        await clients.retire(self._door.deps, here.caller)
        return self._again(here)

    # ── parts ─────────────────────────────────────────────────────────────────────────
    def _pending(self, here: Visit) -> Pending | None:
        return self._way.pending(here.view, self._door.deps.instance)

    def _next_page(self, here: Visit, refusal: Refusal | None = None) -> Response:
        pending = self._pending(here)
        if pending:
            return self._code_page(here, pending, refusal)
        missing = self._way.missing(here.view, self._door.deps.instance)
        if missing:
            return self._details_page(here, missing, refusal)
        return self._address_page(here, refusal)

    def _onwards(self, here: Visit, answer: Answer[Any]) -> Response:
        signed_in = answer.client is not None and bool(answer.client.sessions)
        response = redirects.to(here.target or "/") if signed_in else self._again(here)
        return self._with_cookies(response, answer)

    async def _met(self, request: Request, here: Visit, *, needed: bool = False) -> Caller:
        """Who asks, known as a person where the form's challenge shows it."""
        purpose = self._way.challenge
        return await challenges.meet(self._door, request, here.caller, purpose, needed=needed)

    def _again(self, here: Visit) -> Response:
        """Whatever is next. Also for who sent a form twice and is signed in by the first."""
        return redirects.to(here.link(self._way.path))

    def _with_cookies(self, response: Response, answer: Answer[Any]) -> Response:
        self._door.set_client(response, answer.client, answer.client_token)
        return response

    def _not_yet(
        self, here: Visit, pending: Pending, refusal: Refusal, *, form: str = "code"
    ) -> Response:
        if refusal.code == errors.VERIFICATION_DONE.code:
            return self._again(here)  # the same form, sent twice
        if refusal.code in _NEED_ADDRESS:
            return self._address_page(here, refusal)
        return self._code_page(here, pending, refusal, form=form)

    def _details_page(
        self,
        here: Visit,
        missing: list[str],
        refusal: Refusal | None = None,
        typed: Mapping[str, str] | None = None,
    ) -> Response:
        return self._page(
            "details.html", here, refusal, missing=missing, typed=typed or {}, fault=_fault(refusal)
        )

    def _address_page(
        self, here: Visit, refusal: Refusal | None = None, text: str = ""
    ) -> Response:
        instance = self._door.deps.instance
        takes = self._way.takes(instance)
        unfit = refusal is not None and refusal.code in _UNFIT
        return self._page(
            "address.html",
            here,
            refusal,
            said=words.ask_for(takes) if unfit else None,
            typed=text,
            label=words.name_of(takes),
            by_phone=Kind.PHONE in takes,
            closed=self._way.closed(instance),
            is_challenged=self._way.needs_challenge(instance) and not here.caller.is_human,
            belongs_elsewhere=refusal is not None and refusal.code in _ELSEWHERE,
        )

    def _code_page(
        self,
        here: Visit,
        pending: Pending,
        refusal: Refusal | None = None,
        *,
        form: str = "code",
    ) -> Response:
        now = self._door.deps.now()
        sent = pending.verification
        over = sent.why_not_try(now) if sent else None
        if refusal and refusal.code == errors.VERIFICATION_FAILED.code:
            over = refusal  # `pending` was read before the last try was counted
        return self._page(
            "code.html",
            here,
            refusal or over,
            pending=pending,
            channel=sent.channel if sent else None,
            form=form,
            is_backup=form == "backup",
            is_over=over is not None,
            is_waiting=refusal is not None and refusal.code in _PATIENCE,
            sent_at=sent.sent_at if sent else None,
            wait=sent.wait_before_resend(now) if sent else 0,
            now=now,
            shown_status=refusal.status if refusal else 200,
        )

    def _page(self, template: str, here: Visit, refusal: Refusal | None, **values: Any) -> Response:
        # What a challenge has to say belongs beside it, not to the field that was typed into.
        asked = refusal is not None and refusal.code in _CHALLENGE
        said = values.pop("said", None) or (words.say(refusal) if refusal else None)
        is_challenged = values.pop("is_challenged", False) or asked
        return render.page(
            self._door,
            template,
            status=values.pop("shown_status", refusal.status if refusal else 200),
            target=here.target,
            retry_after=refusal.retry_after if refusal else None,
            widget=self._door.deps.instance.bot_protection.page_key if is_challenged else None,
            way=self._way,
            here=here,
            error=None if asked else said,
            notice=said if asked else None,
            **values,
        )


def _fault(refusal: Refusal | None) -> str | None:
    """The field that is wrong, as the form names it."""
    return refusal.param if refusal else None


def _expect_all(missing: list[str], form: Mapping[str, str]) -> None:
    """Refuse a form that leaves out what it was shown for."""
    for name in missing:
        if name not in form:
            about = errors.LEGAL_NOT_ACCEPTED if name == "legal_accepted" else errors.PARAM_MISSING
            raise Refused(about.about(name))


def _expect_address(text: str) -> str:
    if not text:
        raise Refused(errors.PARAM_MISSING.about("identifier"))
    if len(text) > MAX_LENGTH:
        raise Refused(replace(errors.IDENTIFIER_FORMAT, param="identifier"))
    return text
