"""What this server asks of the people who sign up and in. One server is one instance.

An operator sets these values (`domain/instance_settings.py` names them); they may change
while the server runs, so a story reads them once, at its start.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from doorcode.domain import limits
from doorcode.domain.addresses import Address, Channel, Kind
from doorcode.domain.bot_protection import BotProtection
from doorcode.domain.origins import bound_host
from doorcode.domain.restrictions import Restrictions
from doorcode.domain.routes import Delivery
from doorcode.domain.send import SendBudget
from doorcode.domain.shield import Policy
from doorcode.domain.texts import Texts


class SignUpMode(StrEnum):
    """Who may sign up, by its name on the wire."""

    PUBLIC = "public"
    RESTRICTED = "restricted"
    WAITLIST = "waitlist"


class Enumeration(StrEnum):
    """How far an answer tells whether somebody has an account.

    OFF says so. BULK says so too, but not to whoever asks for many. STRICT never does.
    """

    OFF = "off"
    BULK = "bulk"
    STRICT = "strict"


class ShieldMode(StrEnum):
    """What becomes of a text message that the shield takes for an attack."""

    RECORD = "record"
    CHALLENGE = "challenge"
    DENY = "deny"


@dataclass(frozen=True, slots=True)
class Lockout:
    """How many wrong codes an identifier bears within a window of milliseconds."""

    attempts: int = limits.GUESSES_PER_ADDRESS
    window: int = limits.GUESS_WINDOW


@dataclass(frozen=True, slots=True)
class Shield:
    """How text messages are kept from being run up as a bill (`domain/shield.py`)."""

    mode: ShieldMode = ShieldMode.DENY
    policy: Policy = field(default_factory=Policy)
    money_in_all: int = 100_000_000  # millionths of a dollar, for a UTC day and all countries
    prices: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Attribute:
    """One sort of address, and what it is used for."""

    used_for_sign_up: bool = True
    required: bool = False
    verify_at_sign_up: bool = True
    used_for_sign_in: bool = True
    used_for_second_factor: bool = False
    immutable: bool = False

    @property
    def enabled(self) -> bool:
        """Whether it is used at all."""
        return self.used_for_sign_up or self.used_for_sign_in or self.used_for_second_factor


@dataclass(frozen=True, slots=True)
class NameAttribute:
    """A name that people may be asked for: the first, the last."""

    used_for_sign_up: bool = False
    required: bool = False
    immutable: bool = False


@dataclass(frozen=True, slots=True)
class UsernameAttribute(NameAttribute):
    """A name that no two people share. `used_for_sign_in`: it may be typed to sign in."""

    used_for_sign_in: bool = False
    min_length: int = 4
    max_length: int = 64

    @property
    def enabled(self) -> bool:
        """Whether it is used at all."""
        return self.used_for_sign_up or self.used_for_sign_in


@dataclass(frozen=True, slots=True)
class Instance:
    """The settings that the rules read. `id` is part of what every HMAC and token covers."""

    id: str
    name: str = "Doorcode"
    url: str = "http://localhost:8787"
    origins: tuple[str, ...] = ()  # of the apps, in the order in which they were named
    development: bool = False
    test_mode: bool = False
    disposable_domains: frozenset[str] = field(default=frozenset(), repr=False)

    # ── who may sign up, and with what ────────────────────────────────────────────────
    mode: SignUpMode = SignUpMode.PUBLIC
    phone: Attribute = field(default_factory=Attribute)
    email: Attribute = field(default_factory=Attribute)
    username: UsernameAttribute = field(default_factory=UsernameAttribute)
    first_name: NameAttribute = field(default_factory=NameAttribute)
    last_name: NameAttribute = field(default_factory=NameAttribute)
    legal_consent: bool = False
    restrictions: Restrictions = field(default_factory=Restrictions)
    bot_protection: BotProtection = field(default_factory=BotProtection)

    # ── what keeps others out ─────────────────────────────────────────────────────────
    enumeration: Enumeration = Enumeration.OFF
    lockout: Lockout = field(default_factory=Lockout)
    sends: SendBudget = field(default_factory=SendBudget)
    shield: Shield = field(default_factory=Shield)
    alert_email: str = ""

    # ── how codes travel ──────────────────────────────────────────────────────────────
    texts: Texts = field(default_factory=Texts)
    channels: tuple[Channel, ...] = (Channel.SMS,)
    preferred_channels: Mapping[str, Channel] = field(default_factory=dict)
    delivery: Delivery = field(default_factory=Delivery, repr=False)

    # ── proving more than once ────────────────────────────────────────────────────────
    mfa_required: bool = False
    backup_codes: bool = False
    client_trust: bool = False
    reverification: bool = False

    # ── sessions and accounts ─────────────────────────────────────────────────────────
    single_session: bool = True
    session_lives_for: int = limits.SESSION_LIVES_FOR
    delete_self: bool = True

    # ── what the SDKs are told or allowed ─────────────────────────────────────────────
    organizations: bool = False
    native_api: bool = False
    urls: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_strict(self) -> bool:
        """Whether no answer may tell if somebody has an account."""
        return self.enumeration is Enumeration.STRICT

    def attribute(self, kind: Kind) -> Attribute:
        """The settings of one sort of address."""
        return self.phone if kind is Kind.PHONE else self.email

    def channel_to(self, address: Address) -> Channel:
        """By what a code travels to an address where nobody asks for a way."""
        if address.kind is Kind.PHONE and Channel.SMS not in self.channels:
            return self.channels[0]
        return address.channel

    def host_for(self, page: str | None) -> str:
        """The host that a text message binds its code to; empty where it binds it to none.

        `page` is the origin that a code is asked for on, where it is one of those allowed.
        """
        if not self.texts.origin_line:
            return ""
        return bound_host(page or "") or next(iter(self.bound_hosts), "")

    @property
    def bound_hosts(self) -> tuple[str, ...]:
        """Where codes are typed, the usual place first; empty where codes are not bound."""
        if not self.texts.origin_line:
            return ()
        hosts = (bound_host(origin) for origin in (*self.origins, self.url))
        return tuple(dict.fromkeys(host for host in hosts if host))

    @property
    def required_fields(self) -> list[str]:
        """What nobody can sign up without, by its name on the wire."""
        return [name for name, required in self._fields() if required]

    @property
    def optional_fields(self) -> list[str]:
        """What may be given at sign-up, by its name on the wire."""
        return [name for name, required in self._fields() if not required]

    @property
    def identifiers(self) -> list[str]:
        """What can be typed to sign in, by its name on the wire."""
        kinds: list[str] = [kind for kind in Kind if self.attribute(kind).used_for_sign_in]
        return [*kinds, "username"] if self.username.used_for_sign_in else kinds

    @property
    def has_second_factors(self) -> bool:
        """Whether anybody can have a second factor here."""
        return self.phone.used_for_second_factor or self.email.used_for_second_factor

    def _fields(self) -> list[tuple[str, bool]]:
        asked = [
            (Kind.PHONE.value, self.phone.used_for_sign_up, self.phone.required),
            (Kind.EMAIL.value, self.email.used_for_sign_up, self.email.required),
            ("username", self.username.used_for_sign_up, self.username.required),
            ("first_name", self.first_name.used_for_sign_up, self.first_name.required),
            ("last_name", self.last_name.used_for_sign_up, self.last_name.required),
            ("legal_accepted", self.legal_consent, True),
        ]
        return [(name, required) for name, used, required in asked if used]
