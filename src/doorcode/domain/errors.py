"""Every refusal a person or a program can meet, each with its public code.

    Refusal             a value: what is said, and where it belongs
    └── Refused         an exception that carries one and undoes the unit of work

A refusal that must be *remembered* (a wrong code has been counted) is returned as
a `Refusal`; one that changes nothing is raised as `Refused`. Raising the first kind
would roll the count back, and guessing would be free.

The codes and statuses are those of the Frontend API's public error catalogue; the
status is a hint that `web/` may use, nothing in the rules depends on it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

from doorcode.domain.event import Event
from doorcode.domain.send import Pause


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why a request was not granted.

    `message` is short and follows the field's name on a form ("is incorrect");
    `long_message` is a whole sentence. `param` is the wire name of the field at fault.
    `retry_after` is in whole seconds.
    """

    code: str
    status: int
    message: str
    long_message: str
    param: str | None = None
    retry_after: int | None = None
    meta: dict[str, Any] = field(default_factory=dict)

    def about(self, param: str) -> Refusal:
        """The same refusal, said of the field `param`."""
        return replace(
            self, param=param, long_message=self.long_message.replace("{param}", _spoken(param))
        )


class Refused(Exception):
    """Raised where nothing has changed, or where what changed must be undone.

    `event` is what is to be remembered of it all the same, and `pause` the country that is
    held from now on: `flows/audit.py: unit` writes them in a unit of their own, after this one
    was taken back.
    """

    def __init__(
        self, refusal: Refusal, event: Event | None = None, pause: Pause | None = None
    ) -> None:
        super().__init__(refusal.code)
        self.refusal = refusal
        self.event = event
        self.pause = pause


def _spoken(param: str) -> str:
    return param.replace("_", " ")


# ── a field of the request ────────────────────────────────────────────────────────────
PARAM_MISSING = Refusal("form_param_missing", 422, "is missing", "Enter the {param}.")
PARAM_NEEDED = Refusal("form_conditional_param_missing", 422, "is missing", "Enter the {param}.")
PARAM_FORMAT = Refusal(
    "form_param_format_invalid", 422, "is invalid", "The {param} is not in a valid format."
)
PHONE_FORMAT = Refusal(
    "form_param_format_invalid",
    422,
    "is invalid",
    "The phone number must be valid and start with + and the country code, like +14155552671.",
)
EMAIL_FORMAT = Refusal(
    "form_param_format_invalid",
    422,
    "is invalid",
    "The e-mail address must be a valid address, like name@example.com.",
)
ADDRESS_FORMATS = {"phone_number": PHONE_FORMAT, "email_address": EMAIL_FORMAT}
IDENTIFIER_FORMAT = Refusal(
    "form_param_format_invalid",
    422,
    "is invalid",
    "Enter an e-mail address, or a phone number that starts with + and the country code.",
)
PARAM_VALUE = Refusal(
    "form_param_value_invalid", 422, "is invalid", "This value of {param} is not allowed here."
)
PARAM_UNKNOWN = Refusal("form_param_unknown", 422, "is unknown", "The {param} cannot be used here.")
PARAM_DUPLICATE = Refusal(
    "form_param_duplicate", 422, "is duplicate", "The {param} was sent more than once."
)
PARAM_TOO_LONG = Refusal(
    "form_param_max_length_exceeded", 422, "is too long", "The {param} is too long."
)
PARAM_TYPE = Refusal(
    "form_param_type_invalid", 422, "is invalid", "The {param} is not of the right type."
)
PARAM_RESOURCE = Refusal(
    "form_resource_not_found", 422, "is unknown", "Nothing was found for this {param}."
)
IDENTIFIER_TAKEN = Refusal(
    "form_identifier_exists",
    422,
    "is taken",
    "That {param} is taken. Please try another.",
)
IDENTIFIER_UNKNOWN = Refusal(
    "form_identifier_not_found",
    422,
    "Couldn't find your account.",
    "Couldn't find your account.",
    param="identifier",
)
CODE_INCORRECT = Refusal("form_code_incorrect", 422, "is incorrect", "Incorrect code", param="code")
PARAM_DISABLED = Refusal(
    "form_param_value_disabled", 400, "is disabled", "This {param} is not in use here."
)
PARAM_CONFLICT = Refusal(
    "form_conditional_param_disallowed",
    422,
    "is not allowed",
    "The {param} cannot be sent together with the other fields.",
)
VERIFICATION_NEEDED = Refusal(
    "form_verification_needed", 422, "is unverified", "The {param} must be verified first."
)
LEGAL_NOT_ACCEPTED = Refusal(
    "legal_not_accepted",
    422,
    "must be accepted",
    "Accept the legal terms to continue.",
    param="legal_accepted",
)
USERNAME_CHARACTER = Refusal(
    "form_username_invalid_character",
    422,
    "has a character that is not allowed",
    "A username holds only letters without accents, digits, - and _.",
    param="username",
)
USERNAME_DIGITS = Refusal(
    "form_username_needs_non_number_char",
    422,
    "needs a letter",
    "A username needs at least one letter.",
    param="username",
)
NOT_ALLOWED = Refusal(
    "not_allowed_access",
    403,
    "is not allowed",
    "This {param} is not allowed to use this application.",
)
MAILBOX_TAKEN = Refusal(
    "not_allowed_access",
    403,
    "is in use already",
    "There is an account for this mailbox under another {param}. Sign in with that one.",
)
EMAIL_DISPOSABLE = Refusal(
    "form_email_address_blocked",
    403,
    "is at a service for throw-away mail",
    "Throw-away addresses are not accepted here. Use one that you will keep.",
)


def username_length(least: int, most: int) -> Refusal:
    """A username that is too short or too long."""
    return Refusal(
        "form_username_invalid_length",
        422,
        f"must have {least} to {most} characters",
        f"A username must have {least} to {most} characters.",
        param="username",
    )


# ── a verification ────────────────────────────────────────────────────────────────────
VERIFICATION_EXPIRED = Refusal(
    "verification_expired", 400, "expired", "This code has expired. Ask for a new one."
)
VERIFICATION_FAILED = Refusal(
    "verification_failed", 400, "failed", "Too many wrong codes. Ask for a new one."
)
VERIFICATION_DONE = Refusal(
    "verification_already_verified", 400, "already verified", "This has been verified already."
)
VERIFICATION_MISSING = Refusal(
    "verification_missing", 400, "is missing", "Ask for a code before you enter one."
)
VERIFICATION_STRATEGY = Refusal(
    "verification_strategy_invalid",
    400,
    "has another strategy",
    "The code was asked for by another strategy than the one it is tried with.",
)
RESEND_TOO_SOON = Refusal(
    "verification_code_too_many_requests",
    429,
    "too soon",
    "A code was sent a moment ago. Wait at least 30 seconds before you ask for another.",
)
SENDS_SPENT = Refusal(
    "verification_code_rate_limit_exceeded",
    429,
    "too many codes",
    "Too many codes were asked for. Use one of those that arrived, or try again later.",
)
COUNTRY_UNSUPPORTED = Refusal(
    "unsupported_country_code",
    403,
    "is not supported",
    "Phone numbers of this country are not supported at the moment. Use another way.",
    param="phone_number",
)
NUMBER_UNSUPPORTED = Refusal(
    "not_allowed_access",
    403,
    "is not supported",
    "This sort of phone number cannot receive codes. Use the number of a mobile phone.",
    param="phone_number",
)
RESUME_LINK_INVALID = Refusal(
    "resume_link_invalid",
    404,
    "is not valid",
    "This link is worth nothing any more: the country is not paused, or was paused again since.",
)
SENDING_BLOCKED = Refusal(
    "action_blocked",
    403,
    "blocked",
    "No text message was sent, because of unusual activity. Try again later, or another way.",
)
SMS_UNDELIVERABLE = Refusal(
    "sms_send_error",
    400,
    "cannot be sent",
    "Text messages cannot be sent at the moment. Try again later, or another way.",
)
EMAIL_UNDELIVERABLE = Refusal(
    "email_send_error",
    400,
    "cannot be sent",
    "E-mail cannot be sent at the moment. Try again later, or another way.",
)

# ── an attempt to sign up or in ───────────────────────────────────────────────────────
SESSION_EXISTS = Refusal("session_exists", 400, "already signed in", "You're already signed in.")
ALREADY_SIGNED_IN = Refusal(
    "identifier_already_signed_in", 400, "already signed in", "You're already signed in."
)
SIGN_UP_RESTRICTED = Refusal(
    "sign_up_mode_restricted",
    403,
    "sign-ups are restricted",
    "Sign-ups are restricted at the moment: you need an invitation.",
)
SIGN_UP_WAITLIST = Refusal(
    "sign_up_restricted_waitlist",
    403,
    "sign-ups are closed",
    "Sign-ups are closed at the moment. Join the waitlist to be told when they open.",
)
SIGN_UP_IF_MISSING_NOT_ALLOWED = Refusal(
    "sign_up_if_missing_not_allowed",
    422,
    "is not allowed",
    "The option sign_up_if_missing cannot be used with this identifier, "
    "or while sign-ups are not public.",
    param="sign_up_if_missing",
)
SIGN_UP_IF_MISSING_STRATEGY = Refusal(
    "sign_up_if_missing_strategy_not_supported",
    422,
    "is not supported",
    "With sign_up_if_missing the code must go to the identifier that was typed.",
    param="strategy",
)
SIGN_UP_IF_MISSING_TRANSFER = Refusal(
    "sign_up_if_missing_transfer",
    404,
    "no account",
    "There is no account for this address. Go on to sign up with it.",
)
TRANSFER_INVALID = Refusal(
    "account_transfer_invalid", 400, "nothing to transfer", "There is no account to transfer."
)
NO_SECOND_FACTORS = Refusal(
    "no_second_factors", 400, "no second factors", "This account has no such second factor."
)
ACTION_INVALID = Refusal(
    "client_state_invalid", 400, "not now", "This is not possible at this step."
)
STRATEGY_FOR_USER = Refusal(
    "strategy_for_user_invalid", 400, "not for this account", "This account has no such factor."
)
IDENTIFIER_CLAIMED = Refusal(
    "identification_claimed",
    400,
    "claimed meanwhile",
    "Somebody else has verified this address meanwhile. Please sign up again.",
)
USER_GONE = Refusal(
    "sign_in_identification_or_user_deleted",
    400,
    "no longer there",
    "The account or its address was deleted. Please start over.",
)
USER_LOCKED = Refusal(
    "user_locked",
    403,
    "locked",
    "Too many wrong codes for this address. Try again later.",
)
USER_BANNED = Refusal("user_banned", 403, "banned", "This account has been banned.")
NOT_FOUND = Refusal("resource_not_found", 404, "not found", "There is no such resource.")

# ── a person, not a program ───────────────────────────────────────────────────────────
CAPTCHA_REQUIRED = Refusal(
    "requires_captcha",
    401,
    "check required",
    "Show that you are a person before you go on.",
)
CAPTCHA_MISSING = Refusal(
    "captcha_missing_token",
    400,
    "check not passed",
    "It could not be seen that you are a person. Reload the page and try again.",
)
CAPTCHA_INVALID = Refusal(
    "captcha_invalid",
    400,
    "check not passed",
    "It could not be seen that you are a person. Try again, or without browser extensions.",
)
CAPTCHA_NOT_ENABLED = Refusal(
    "captcha_not_enabled", 400, "no check", "Nobody is asked here to show that they are a person."
)

# ── a ticket ──────────────────────────────────────────────────────────────────────────
TICKET_INVALID = Refusal(
    "ticket_invalid_code", 400, "is invalid", "This link is not valid. Ask for a new one."
)
TICKET_EXPIRED = Refusal(
    "ticket_expired_code", 400, "has expired", "This link has expired. Ask for a new one."
)
SIGN_IN_TOKEN_REVOKED = Refusal(
    "sign_in_token_revoked_code", 400, "was revoked", "This sign-in link was revoked."
)
SIGN_IN_TOKEN_USED = Refusal(
    "sign_in_token_already_used_code", 400, "was used", "This sign-in link has been used already."
)
SIGN_IN_TOKEN_ELSEWHERE = Refusal(
    "sign_in_token_not_in_sign_in_code", 400, "not in sign-in", "This link is for signing in only."
)
INVITATION_REVOKED = Refusal(
    "revoked_invitation", 400, "was revoked", "This invitation was revoked."
)
INVITATION_ACCEPTED = Refusal(
    "invitation_already_accepted",
    400,
    "was accepted",
    "This invitation has been accepted already. Try signing in instead.",
)
INVITATION_ALREADY_REVOKED = Refusal(
    "invitation_already_revoked", 400, "was revoked", "This invitation was revoked already."
)
INVITATIONS_UNSUPPORTED = Refusal(
    "invitations_not_supported",
    400,
    "not supported",
    "People are invited by e-mail, and nobody signs up by e-mail here. "
    "Turn auth_email.used_for_sign_up on.",
)
SIGN_IN_TOKEN_NOT_PENDING = Refusal(
    "sign_in_token_cannot_be_revoked_code",
    400,
    "cannot be revoked",
    "Only a sign-in token that is pending can be revoked.",
)
INVITATION_ACCOUNT_EXISTS = Refusal(
    "invitation_account_exists",
    400,
    "has an account",
    "There is an account for this invitation already. Sign in instead.",
)
INVITATION_NO_ACCOUNT = Refusal(
    "invitation_account_not_exists",
    400,
    "has no account",
    "There is no account for this invitation yet. Sign up instead.",
)

# ── a profile ─────────────────────────────────────────────────────────────────────────
LAST_ADDRESS = Refusal(
    "identification_deletion_failed",
    400,
    "is the last",
    "This is your last way to sign in; it cannot be removed.",
)
LAST_REQUIRED_ADDRESS = Refusal(
    "last_required_identification_deletion_failed",
    400,
    "is the last",
    "At least one address of this sort must stay in your account.",
)
LAST_ADDRESS_RESERVED = Refusal(
    "identification_update_failed",
    400,
    "is the last",
    "Your last way to sign in cannot become the second step.",
)
SECOND_FACTOR_UNVERIFIED = Refusal(
    "identification_update_second_factor_unverified",
    400,
    "is unverified",
    "Verify this address before you use it as a second step.",
)
SECOND_FACTOR_REQUIRED = Refusal(
    "second_factor_deletion_not_allowed",
    400,
    "is required",
    "You must keep at least one second step in your account.",
)
DEFAULT_SECOND_FACTOR = Refusal(
    "form_param_value_invalid",
    422,
    "is invalid",
    "To change the default second step, make another one the default.",
    param="default_second_factor",
)
TOO_MANY_UNVERIFIED = Refusal(
    "too_many_unverified_identifications",
    400,
    "too many",
    "There are too many unverified addresses in this account. Verify or remove some first.",
)
ATTRIBUTE_IMMUTABLE = Refusal(
    "immutable_attribute_modification_not_allowed",
    403,
    "cannot be changed",
    "Your {param} cannot be changed or removed.",
)
DELETE_SELF_DISABLED = Refusal(
    "user_delete_self_not_enabled",
    403,
    "not enabled",
    "Accounts cannot be deleted by their owners here.",
)
BACKUP_CODES_UNAVAILABLE = Refusal(
    "backup_codes_not_available",
    400,
    "not available",
    "Set up another second step before you make backup codes.",
)
IMAGE_TOO_LARGE = Refusal(
    "image_too_large", 413, "too large", "The image is over 2 MB. Choose a smaller one."
)
IMAGE_INVALID = Refusal(
    "request_body_invalid",
    400,
    "not readable",
    "The image cannot be read. Send a PNG, a JPEG or a WebP.",
)
IMAGE_MISSING = Refusal(
    "form_param_missing", 422, "is missing", "There is no image in the request.", param="file"
)
IMAGE_NOT_FOUND = Refusal("image_not_found", 404, "not found", "There is no such image.")

# ── proving oneself again ─────────────────────────────────────────────────────────────
REVERIFICATION_REQUIRED = Refusal(
    "session_reverification_required",
    403,
    "verification required",
    "Verify once more that it is you before you do this.",
)
REVERIFICATION_MISSING = Refusal(
    "session_reverification_missing",
    400,
    "is missing",
    "Start to verify this session before you go on with it.",
)
REVERIFICATION_INVALID = Refusal(
    "invalid_action_for_session_reverification",
    400,
    "not now",
    "This is not possible at this step of the verification.",
)

# ── the waitlist ──────────────────────────────────────────────────────────────────────
WAITLIST_CLOSED = Refusal(
    "waitlist_not_accepting_entries", 403, "closed", "The waitlist takes nobody at the moment."
)
WAITLIST_INVITED = Refusal(
    "waitlist_entry_already_invited", 409, "already invited", "This person was invited already."
)
WAITLIST_COMPLETED = Refusal(
    "waitlist_entry_already_completed", 409, "already completed", "This person has signed up."
)
WAITLIST_REJECTED = Refusal(
    "waitlist_entry_already_rejected", 409, "already rejected", "This person was rejected already."
)

# ── a session, a client, a request ────────────────────────────────────────────────────
SIGNED_OUT = Refusal("signed_out", 401, "signed out", "You are signed out.")
SESSION_ENDED = Refusal(
    "authentication_invalid", 401, "not signed in", "This session has ended. Sign in again."
)
SESSION_ACTION_INVALID = Refusal(
    "invalid_action_for_session", 400, "not now", "This is not possible for this session."
)
NATIVE_API_DISABLED = Refusal(
    "native_api_disabled",
    400,
    "native API disabled",
    "Apps without a browser are not served here. Turn native_api.enabled on to allow them.",
)
ORGANIZATIONS_DISABLED = Refusal(
    "organization_not_enabled_in_instance",
    403,
    "no organizations",
    "There are no organizations on this server.",
)
BULK_SIZE = Refusal(
    "bulk_size_exceeded", 400, "too many", "There are too many of them for one request."
)
DUPLICATE_INVITATION = Refusal(
    "duplicate_record",
    400,
    "is duplicate",
    "There is a pending invitation for this address already. Set ignore_existing to make another.",
)
DEV_BROWSER_UNKNOWN = Refusal(
    "dev_browser_unauthenticated",
    401,
    "unknown browser",
    "This browser is not known to the development server.",
)
DEVELOPMENT_ONLY = Refusal(
    "request_invalid_for_environment",
    400,
    "development only",
    "This request is answered in development only.",
)
TESTING_TOKENS_DISABLED = Refusal(
    "request_invalid_for_environment",
    400,
    "test mode only",
    "Testing tokens work in development, and in production only where DOORCODE_TEST_MODE is on.",
)
SECRET_KEY_INVALID = Refusal(
    "clerk_key_invalid",
    401,
    "The secret key is not valid.",
    "The secret key is not one of this server. Check CLERK_SECRET_KEY.",
)
ORIGIN_INVALID = Refusal(
    "origin_invalid",
    400,
    "unknown origin",
    "This web page's origin is not allowed. Add it to DOORCODE_ORIGINS.",
)
ORIGIN_AND_AUTHORIZATION = Refusal(
    "origin_authorization_headers_conflict",
    400,
    "conflicting headers",
    "A browser must not send a secret key: Origin and Authorization exclude each other.",
)
HOST_INVALID = Refusal(
    "host_invalid", 400, "unknown host", "This server does not answer to that host name."
)
REDIRECT_INVALID = Refusal(
    "invalid_redirect_url",
    422,
    "is not allowed",
    "The redirect URL must lead to an allowed origin.",
    param="redirect_url",
)
CONTENT_TYPE = Refusal(
    "unsupported_content_type",
    415,
    "unsupported content type",
    "Send the fields as application/x-www-form-urlencoded.",
)
JSON_CONTENT_TYPE = Refusal(
    "unsupported_content_type",
    415,
    "unsupported content type",
    "Send the request's body as application/json.",
)
BODY_TOO_LARGE = Refusal(
    "request_body_too_large", 413, "too large", "The request body is over 64 KiB."
)
BODY_INVALID = Refusal(
    "request_body_invalid", 400, "not readable", "The request body cannot be read."
)
METHOD_INVALID = Refusal(
    "method_not_allowed", 405, "method not allowed", "This path does not answer that method."
)
TOO_MANY_REQUESTS = Refusal(
    "too_many_requests", 429, "too many requests", "Too many requests. Wait a moment."
)
STORAGE_BUSY = Refusal(
    "service_unavailable", 503, "unavailable", "The server is not ready. Try again in a moment."
)
INTERNAL = Refusal(
    "internal_clerk_error", 500, "internal error", "Something went wrong on the server."
)
