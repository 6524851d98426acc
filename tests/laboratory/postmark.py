"""A double of Postmark: its e-mail API and its webhooks."""

from __future__ import annotations

import base64
import json
from typing import Any

from .wire import Call, Reply, Request, Taken

TOKEN = "3c1e6f0a-laboratory-server-token"
SECRET = "laboratory-webhook-secret"
OPTIONS = {
    "provider": "postmark",
    "server_token": TOKEN,
    "from": "Acme <no-reply@example.com>",
    "webhook_secret": SECRET,
}
TYPE_CODES = {
    "HardBounce": 1,
    "Transient": 2,
    "Unsubscribe": 16,
    "AutoResponder": 64,
    "DnsError": 256,
    "SpamNotification": 512,
    "SoftBounce": 4096,
    "BadEmailAddress": 100000,
    "ManuallyDeactivated": 100002,
    "Blocked": 100006,
    "DMARCPolicy": 100009,
}
AT = "2026-05-08T08:00:00.1234567-04:00"


class Postmark:
    """`inactive` are the mailboxes to which it sends nothing any more."""

    def __init__(self, callback_url: str = "https://auth.example.com/v1/receipts/postmark") -> None:
        self.taken: list[Taken] = []
        self.letters: list[dict[str, Any]] = []
        self.inactive: set[str] = set()
        self.refuse_with: tuple[int, int, str] | None = None  # whatever comes: status, code, words
        self.callback_url = callback_url

    def handle(self, request: Request) -> Reply:
        if request.headers.get("x-postmark-server-token") != TOKEN:
            return error(401, 10, "No Account or Server API tokens were supplied in the request.")
        if self.refuse_with:
            return error(*self.refuse_with)
        if (request.method, request.path) != ("POST", "/email"):
            return Reply(404, b"")
        letter = request.json
        if letter["To"] in self.inactive:
            words = f"You tried to send to recipient(s) marked as inactive: {letter['To']}."
            return error(422, 406, words)
        if "," in letter["To"] or not letter["To"].isascii():
            return error(422, 300, f"Error parsing 'To': Illegal email address '{letter['To']}'.")
        if "example.com" not in letter["From"]:
            return error(422, 400, "The 'From' address is not a Sender Signature on your account.")
        ref = f"883953f4-6105-42a2-a16a-{len(self.taken):012x}"
        self.letters.append(letter)
        self.taken.append(Taken(ref, letter["To"], letter["TextBody"]))
        told = {"To": letter["To"], "SubmittedAt": AT, "MessageID": ref}
        return Reply.of(200, told | {"ErrorCode": 0, "Message": "OK"})

    def refuse_credentials(self) -> Reply:
        return error(401, 10, "The Server Token you provided in the request was invalid.")

    def throttle(self) -> Reply:
        return error(429, 429, "You have exceeded the rate limit.")

    def report(self, taken: Taken, state: str, code: str = "") -> list[Call]:
        """`code` is the type of a bounce: "HardBounce"."""
        if state == "sent":
            return []  # Postmark tells nothing before the other server has taken it
        if state == "delivered":
            return [self.call({"RecordType": "Delivery", "DeliveredAt": AT}, taken)]
        if state == "complained":
            return [self.call({"RecordType": "SpamComplaint", "BouncedAt": AT}, taken)]
        sort = code or "HardBounce"
        bounce = {
            "RecordType": "Bounce",
            "Type": sort,
            "TypeCode": TYPE_CODES.get(sort, 2048),
            "Description": f"<{taken.to}> could not be reached",
            "BouncedAt": AT,
            "Inactive": sort == "HardBounce",
        }
        return [self.call(bounce, taken)]

    def call(self, told: dict[str, Any], taken: Taken, secret: str = SECRET) -> Call:
        """A webhook with the secret in basic authentication."""
        shown = base64.b64encode(f"postmark:{secret}".encode()).decode()
        headers = {"content-type": "application/json", "authorization": f"Basic {shown}"}
        about = {"MessageID": taken.ref, "ServerID": 23, "MessageStream": "outbound"}
        return Call("POST", self.callback_url, headers, json.dumps(about | told).encode())


def error(status: int, code: int, message: str) -> Reply:
    """An error of the API."""
    return Reply.of(status, {"ErrorCode": code, "Message": message})
