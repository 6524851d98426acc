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

# ── guessing: these hold in the database and cannot be switched off ──────────────────
GUESSES_PER_ADDRESS = 10
GUESS_WINDOW = HOUR

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
DEV_BROWSER_LIVES_FOR = 30 * DAY

# ── requests ──────────────────────────────────────────────────────────────────────────
BODY_BYTES = 64 * 1024
FIELD_CHARACTERS = 2_000
METADATA_BYTES = 8 * 1024

# ── accounts ──────────────────────────────────────────────────────────────────────────
UNVERIFIED_ADDRESSES = 10
BACKUP_CODES = 10


@dataclass(frozen=True, slots=True)
class Rate:
    """At most `times` within `window` milliseconds, for one caller."""

    name: str
    times: int
    window: int


# Per client address (IPv6: per /64). They keep floods out; they do not protect a code.
CREATE_SIGN_UP = Rate("sign_ups.create", 5, 10 * SECOND)
CREATE_SIGN_IN = Rate("sign_ins.create", 5, 10 * SECOND)
ATTEMPT_SIGN_UP = Rate("sign_ups.attempt", 3, 10 * SECOND)
JOIN_WAITLIST = Rate("waitlist.join", 5, 10 * SECOND)
SEND_CODE = Rate("codes.send", 10, 10 * SECOND)
CREATE_CLIENT = Rate("clients.create", 20, 10 * SECOND)
ATTEMPT_SIGN_IN = Rate("sign_ins.attempt", 3, 10 * SECOND)
ADD_ADDRESS = Rate("me.add_address", 10, 10 * SECOND)
ATTEMPT_ADDRESS = Rate("me.attempt_address", 3, 10 * SECOND)
SET_IMAGE = Rate("me.set_image", 5, 10 * SECOND)
START_REVERIFICATION = Rate("reverifications.start", 10, 10 * SECOND)
ATTEMPT_REVERIFICATION = Rate("reverifications.attempt", 3, 10 * SECOND)
