"""Every limit on one screen. Durations are milliseconds unless the name says otherwise."""

from __future__ import annotations

from dataclasses import dataclass

SECOND = 1_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

# ── codes ─────────────────────────────────────────────────────────────────────────────
CODE_DIGITS = 6
CODE_LIVES_FOR = 10 * MINUTE
CODES_ALIVE = 3  # a resend keeps the earlier codes valid, but not without end
TRIES_PER_VERIFICATION = 5
RESEND_AFTER = 30 * SECOND
SAME_CLICK = 2 * SECOND  # asked for twice within it, a code is sent once

# ── guessing: these hold in the database and cannot be switched off ──────────────────
GUESSES_PER_ADDRESS = 10
GUESSES_PER_NETWORK = 100
SITE_TIMES = 8  # a /48 is 65,536 times a /64: whoever rotates through it is one client still
GUESS_WINDOW = HOUR
KNOWN_DEVICES = 5  # of a person; each has guesses of its own, so their number is a limit too
DEVICE_KNOWN_FOR = 400 * DAY

# ── sending: these hold in the database too ───────────────────────────────────────────
SENDS_PER_10_MINUTES = 6
SENDS_PER_DAY = 20

# ── lifetimes ─────────────────────────────────────────────────────────────────────────
ATTEMPT_LIVES_FOR = DAY
REVERIFICATION_LIVES_FOR = 15 * MINUTE  # unused; each code that is asked for begins it anew
PROOF_COUNTS_FOR = 10 * MINUTE  # after this a person proves again who they are
SESSION_LIVES_FOR = 7 * DAY
CLIENT_LIVES_FOR = 400 * DAY  # RFC 6265bis: browsers keep a cookie no longer
TOKEN_LIVES_FOR_SECONDS = 60
HANDSHAKE_LIVES_FOR = 10 * SECOND
TESTING_TOKEN_LIVES_FOR = HOUR
HUMAN_FOR = 10 * MINUTE  # after a solved challenge
RESUME_LINK_LIVES_FOR = 7 * DAY  # the link by which an operator ends a country's pause
DEV_BROWSER_LIVES_FOR = 30 * DAY

# ── requests ──────────────────────────────────────────────────────────────────────────
BODY_BYTES = 64 * 1024
FIELD_CHARACTERS = 2_048  # as long as the answer to a challenge can be
METADATA_BYTES = 8 * 1024

# ── accounts ──────────────────────────────────────────────────────────────────────────
UNVERIFIED_ADDRESSES = 10
BACKUP_CODES = 10


# ── keeping ───────────────────────────────────────────────────────────────────────────
EVENTS_KEPT_FOR = 90 * DAY


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `times` within `window` milliseconds, for one client address.

    For IPv6 that is a /64, and eight times as much for the /48 around it: whoever has one
    usually has all of it.
    """

    name: str
    times: int
    window: int
    what: str = ""


# Per client address. They keep floods out; they do not protect a code.
CREATE_SIGN_UP = Rate("sign_ups.create", 5, 10 * SECOND, "sign-ups begun")
CREATE_SIGN_IN = Rate("sign_ins.create", 5, 10 * SECOND, "sign-ins begun")
ATTEMPT_SIGN_UP = Rate("sign_ups.attempt", 3, 10 * SECOND, "codes tried in sign-ups")
ATTEMPT_SIGN_IN = Rate("sign_ins.attempt", 3, 10 * SECOND, "codes tried in sign-ins")
SEND_CODE = Rate("codes.send", 10, 10 * SECOND, "codes asked for")
CREATE_CLIENT = Rate("clients.create", 20, 10 * SECOND, "clients made")
CHECK_CHALLENGE = Rate("challenges.check", 10, 10 * SECOND, "answers to challenges")
JOIN_WAITLIST = Rate("waitlist.join", 5, 10 * SECOND, "entries of the waitlist")
ADD_ADDRESS = Rate("me.add_address", 10, 10 * SECOND, "addresses added to an account")
ATTEMPT_ADDRESS = Rate("me.attempt_address", 3, 10 * SECOND, "codes tried for an added address")
SET_IMAGE = Rate("me.set_image", 5, 10 * SECOND, "pictures sent")
START_REVERIFICATION = Rate("reverifications.start", 10, 10 * SECOND, "reverifications begun")
ATTEMPT_REVERIFICATION = Rate("reverifications.attempt", 3, 10 * SECOND, "codes tried in them")
# For these, many browsers behind one address are nothing unusual: every page makes them.
HANDSHAKE = Rate("clients.handshake", 100, 10 * SECOND, "handshakes")
NAME_BROWSER = Rate("dev_browsers.create", 100, 10 * SECOND, "development browsers named")
TOUCH_SESSION = Rate("sessions.touch", 100, 10 * SECOND, "sessions touched")
FRESH_TOKEN = Rate("sessions.fresh_token", 100, 10 * SECOND, "tokens made past the cache")
TOLD_APART = Rate(
    "enumeration.told", 20, HOUR, "answers that tell whether an account exists (mode `bulk`)"
)
RATES = (
    CREATE_SIGN_UP,
    CREATE_SIGN_IN,
    ATTEMPT_SIGN_UP,
    ATTEMPT_SIGN_IN,
    SEND_CODE,
    CREATE_CLIENT,
    CHECK_CHALLENGE,
    JOIN_WAITLIST,
    ADD_ADDRESS,
    ATTEMPT_ADDRESS,
    SET_IMAGE,
    START_REVERIFICATION,
    ATTEMPT_REVERIFICATION,
    HANDSHAKE,
    NAME_BROWSER,
    TOUCH_SESSION,
    FRESH_TOKEN,
    TOLD_APART,
)


# The names that refusals carry in the log, in metrics and in the audit log.
TRIES, GUESSES, DEVICE_GUESSES = "codes.tries", "guesses.everybody_else", "guesses.known_device"
NETWORK_GUESSES, BACKUP_GUESSES = "guesses.network", "guesses.backup_codes"
COUNTRY, TYPE = "shield.country", "shield.type"
MONEY, PAUSED = "shield.money", "shield.paused"
MONEY_IN_ALL = "shield.money_in_all"
RESENDS, SENDS_SHORT, SENDS_LONG = "codes.resend", "sends.10_minutes", "sends.day"
