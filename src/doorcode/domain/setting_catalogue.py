"""Every setting of an instance: its name, its type, and the part of `Instance` that it is.

The names are those of the public configuration files of hosted instances, as far as there
is something to set here: an address is proved by a code and by nothing else, so there are
no lists of strategies. Defaults are written once, in `Instance`.
"""

from __future__ import annotations

from dataclasses import dataclass

from doorcode.domain.bot_protection import Mode, Widget
from doorcode.domain.instance import Enumeration, ShieldMode, SignUpMode
from doorcode.domain.limits import MINUTE
from doorcode.domain.routes import Ladder, Routes
from doorcode.domain.setting_types import (
    Addresses,
    Choice,
    Countries,
    CountryChannels,
    Link,
    Mailbox,
    Number,
    PhoneChannels,
    Prices,
    SiteKey,
    Switch,
    Type,
)
from doorcode.domain.text_settings import Language, OwnTexts


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting. `place` is its field in `Instance`; `dashboard` what a dashboard calls it."""

    key: str
    type: Type
    place: str
    meaning: str
    dashboard: str = ""


def _address(key: str, place: str, word: str, title: str) -> list[Setting]:
    rows = [
        ("used_for_sign_up", f"People can sign up with {word}.", f"Sign-up with {title}"),
        ("required", f"Nobody can sign up without {word}.", f"Require {title}"),
        (
            "verify_at_sign_up",
            "A sign-up is complete only once the code that was sent there has been typed. "
            "Where this is off, whoever types an address first has it, until a code that was "
            "sent there signs somebody in or another address of the account is proved.",
            "Verify at sign-up",
        ),
        ("used_for_sign_in", f"People can sign in with {word}.", f"Sign-in with {title}"),
        ("used_for_second_factor", f"A code to {word} can be the second step of a sign-in.", ""),
        ("immutable", "People cannot add, change or remove theirs.", ""),
    ]
    return [
        Setting(f"{key}.{name}", Switch(), f"{place}.{name}", meaning, dashboard)
        for name, meaning, dashboard in rows
    ]


def _name(field: str, word: str) -> list[Setting]:
    rows = [
        ("used_for_sign_up", f"Components ask for a {word} at sign-up."),
        ("required", f"Nobody can sign up without a {word}."),
        ("immutable", f"People cannot change their {word}."),
    ]
    return [
        Setting(f"auth_{field}.{name}", Switch(), f"{field}.{name}", meaning)
        for name, meaning in rows
    ]


def _delivery() -> list[Setting]:
    words = {
        "sms": "text messages",
        "whatsapp": "WhatsApp messages",
        "voice": "spoken codes",
        "email": "e-mail",
    }
    routes = [
        Setting(
            f"delivery.{channel}",
            Routes(),
            f"delivery.{channel}",
            f"By whom {word} {'are' if channel != 'email' else 'is'} sent, in this order.",
        )
        for channel, word in words.items()
    ]
    return [
        *routes,
        Setting(
            "delivery.ladder",
            Ladder(),
            "delivery.ladder",
            "What stands in for a channel none of whose routes takes a message: those after it.",
        ),
        Setting(
            "delivery.stopped",
            Switch(),
            "delivery.is_stopped",
            "Nothing is sent at all. What is asked for meanwhile waits as long as its code lives.",
        ),
    ]


def _bot_protection() -> list[Setting]:
    rows: list[tuple[str, Type, str]] = [
        (
            "mode",
            Choice(Mode),
            "When a person must be told from a program: never, when a limit asks for it, or at "
            "every sign-up.",
        ),
        ("site_key", SiteKey(), "The site key of the Turnstile widget."),
        (
            "invisible_site_key",
            SiteKey(),
            "That of an invisible widget, where it is another; empty for the same.",
        ),
        ("widget_type", Choice(Widget), "What is shown of the check."),
    ]
    return [
        Setting(f"bot_protection.{name}", kind, f"bot_protection.{name}", meaning)
        for name, kind, meaning in rows
    ]


def _texts() -> list[Setting]:
    return [
        Setting(
            "texts.default_language",
            Language(),
            "texts.default_language",
            "What people are written in who ask in no language that there are texts in.",
        ),
        Setting(
            "texts.origin_line",
            Switch(),
            "texts.origin_line",
            "A code in a text message ends with the line by which phones fill it in on your "
            "pages, and on no page that imitates them.",
        ),
        Setting(
            "texts.own",
            OwnTexts(),
            "texts.own",
            "Your own words in the place of those shipped, checked when they are saved.",
        ),
    ]


def _urls() -> list[Setting]:
    links = [
        ("terms_url", "The terms of service, named beside the consent at sign-up."),
        ("privacy_policy_url", "The privacy policy, named beside the consent at sign-up."),
        ("home_url", "Where the logo and error pages lead."),
        ("sign_in_url", "The page with the sign-in form."),
        ("sign_up_url", "The page with the sign-up form."),
        ("user_profile_url", "The page where people see and change their account."),
        ("after_sign_in_url", "Where a browser goes after a sign-in that names no other page."),
        ("after_sign_up_url", "Where a browser goes after a sign-up that names no other page."),
        ("after_sign_out_one_url", "Where a browser goes after one of several sign-outs."),
        ("after_sign_out_all_url", "Where a browser goes after the last sign-out."),
        ("after_switch_session_url", "Where a browser goes after a change to another account."),
        ("waitlist_url", "The page where people join the waitlist."),
        ("after_join_waitlist_url", "Where a browser goes after somebody joined the waitlist."),
        ("logo_image_url", "The logo on the components."),
        ("favicon_image_url", "The icon in the browser's tab."),
    ]
    mail = Setting(
        "urls.support_email", Mailbox(), "urls.support_email", "Where people can ask for help."
    )
    return [
        *[Setting(f"urls.{name}", Link(), f"urls.{name}", meaning) for name, meaning in links],
        mail,
    ]


_ALL = [
    *_address("auth_phone", "phone", "a phone number", "phone"),
    Setting(
        "auth_phone.channels",
        PhoneChannels(),
        "channels",
        "By what phone codes can travel. Where nobody asks for one: SMS if it is listed, else the "
        "first. The prebuilt components load WhatsApp's sign from the SDK's own host.",
    ),
    Setting(
        "auth_phone.preferred_channels",
        CountryChannels(),
        "preferred_channels",
        "The channel offered first to people of a country.",
    ),
    *_address("auth_email", "email", "an e-mail address", "email"),
    *_name("username", "username"),
    Setting(
        "auth_username.used_for_sign_in",
        Switch(),
        "username.used_for_sign_in",
        "A username can be typed to sign in; the code goes to an address of that person.",
    ),
    Setting(
        "auth_username.min_length", Number(1, 64), "username.min_length", "The fewest characters."
    ),
    Setting(
        "auth_username.max_length", Number(1, 64), "username.max_length", "The most characters."
    ),
    *_name("first_name", "first name"),
    *_name("last_name", "last name"),
    Setting(
        "auth_backup_code.enabled",
        Switch(),
        "backup_codes",
        "Who sets up a second step is given backup codes for it.",
    ),
    Setting(
        "mfa.required",
        Switch(),
        "mfa_required",
        "Everybody must set up a second step. With e-mail as the only one, also turn on "
        "auth_email.required: the prebuilt components can set up a phone only.",
    ),
    Setting(
        "sign_up_mode",
        Choice(SignUpMode),
        "mode",
        "Who can sign up: everybody, the invited, or those whom the waitlist lets in.",
        "Access mode",
    ),
    Setting(
        "auth_access_control.allowlist_enabled",
        Switch(),
        "restrictions.allowlist_enabled",
        "Only what the allowlist covers can sign up; while it is empty, nobody.",
        "Allowlist",
    ),
    Setting(
        "auth_access_control.allowlist",
        Addresses(),
        "restrictions.allowlist",
        "The addresses and domains that can sign up.",
    ),
    Setting(
        "auth_access_control.blocklist_enabled",
        Switch(),
        "restrictions.blocklist_enabled",
        "What the blocklist covers cannot sign up.",
        "Blocklist",
    ),
    Setting(
        "auth_access_control.blocklist",
        Addresses(),
        "restrictions.blocklist",
        "The addresses and domains that cannot sign up.",
    ),
    Setting(
        "block_email_subaddresses",
        Switch(),
        "restrictions.block_email_subaddresses",
        "One mailbox makes one account: while ann@example.com or ann+news@example.com has one, "
        "ann+shop@example.com can neither sign up nor be added to another.",
        "Block subaddresses",
    ),
    Setting(
        "ignore_dots_for_gmail_addresses",
        Switch(),
        "restrictions.ignore_dots_for_gmail_addresses",
        "For block_email_subaddresses, a.nn@gmail.com and ann@gmail.com are one mailbox.",
    ),
    Setting(
        "block_disposable_email_domains",
        Switch(),
        "restrictions.block_disposable_email_domains",
        "Addresses at services for throw-away mail can neither sign up nor be added. Needs a "
        "list of them.",
        "Block sign-ups that use disposable email addresses",
    ),
    Setting(
        "attack_protection.enumeration_protection",
        Choice(Enumeration),
        "enumeration",
        "Whether answers tell if an account exists: `off` says so, `bulk` says so at most 20 times "
        "an hour to one client address, `strict` never does.",
        "Enumeration protection",
    ),
    Setting(
        "attack_protection.user_lockout.max_attempts",
        Number(5, 100),
        "lockout.attempts",
        "How many wrong codes an identifier bears before it is locked. Devices that signed in to "
        "it before have as many of their own.",
        "Lockout: attempts",
    ),
    Setting(
        "attack_protection.user_lockout.duration_in_minutes",
        Number(5, 60, unit=MINUTE, called="number of minutes"),
        "lockout.window",
        "For how long a wrong code counts.",
        "Lockout: duration",
    ),
    Setting(
        "limits.sends_per_10_minutes",
        Number(3, 100),
        "sends.short",
        "How many codes are sent to an identifier within ten minutes.",
    ),
    Setting(
        "limits.sends_per_day",
        Number(3, 1000),
        "sends.long",
        "How many codes are sent to an identifier within 24 hours.",
    ),
    Setting(
        "shield.mode",
        Choice(ShieldMode),
        "shield.mode",
        "What becomes of text messages that look like an attack: they are sent and written down, "
        "sent after a challenge, or not sent. The list of countries, the sorts of numbers and the "
        "money hold in each mode.",
    ),
    Setting(
        "shield.countries",
        Countries(),
        "shield.policy.countries",
        "To which countries text messages are sent.",
        "SMS countries",
    ),
    Setting(
        "shield.refuse_voip",
        Switch(),
        "shield.policy.refuse_voip",
        "Numbers that are known for internet telephony are sent nothing.",
    ),
    Setting(
        "shield.dollars_per_country_and_day",
        Number(1, 1_000_000, unit=1_000_000, called="number of US dollars"),
        "shield.policy.money_per_country",
        "What the messages to one country may cost on a day (UTC), by the prices below.",
    ),
    Setting(
        "shield.dollars_per_day",
        Number(1, 1_000_000, unit=1_000_000, called="number of US dollars"),
        "shield.money_in_all",
        "What all messages together may cost on a day (UTC).",
    ),
    Setting(
        "shield.prices",
        Prices(),
        "shield.prices",
        "What one segment to a country costs, in US dollars, where it is not the list price.",
    ),
    Setting(
        "alerts.email",
        Mailbox(),
        "alert_email",
        "Who is written to when the shield pauses a country, with a link that resumes it.",
    ),
    *_delivery(),
    *_texts(),
    *_bot_protection(),
    Setting(
        "legal_consent.enabled",
        Switch(),
        "legal_consent",
        "Nobody can sign up without accepting the terms (see urls.terms_url).",
    ),
    Setting(
        "client_trust.enabled",
        Switch(),
        "client_trust",
        "A sign-in on a browser that the person never used asks for a code by another channel. "
        "For forms of your own and the hosted pages: the prebuilt `<SignIn/>` stops there.",
    ),
    Setting(
        "reverification.enabled",
        Switch(),
        "reverification",
        "Changes to an account ask for a code where the last one is more than ten minutes old.",
    ),
    Setting(
        "session.single_session_mode",
        Switch(),
        "single_session",
        "A browser is signed in to one account at a time.",
    ),
    Setting(
        "session.lifetime_minutes",
        Number(5, 525_600, unit=MINUTE, called="number of minutes"),
        "session_lives_for",
        "How long somebody stays signed in. Holds for sessions that begin after the change.",
    ),
    Setting(
        "user.delete_self_enabled", Switch(), "delete_self", "People can delete their account."
    ),
    Setting(
        "organizations.enabled",
        Switch(),
        "organizations",
        "Apps are told that organizations exist. There are none: their lists are empty.",
    ),
    Setting(
        "native_api.enabled",
        Switch(),
        "native_api",
        "Mobile apps may send their client in a header instead of a cookie.",
    ),
    *_urls(),
]
SETTINGS: dict[str, Setting] = {setting.key: setting for setting in _ALL}
