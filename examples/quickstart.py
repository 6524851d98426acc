"""Sign up and sign in through the Python SDK, and watch every state on the way.

    make dev                                          in one terminal
    .venv/bin/python examples/quickstart.py [URL]     in another

It invents a person, reads their codes from the development inbox, and prints what each call of
the SDK leads to. Each run invents somebody else. Run it twice in a row and the server may
ask you to wait a few seconds: it limits how fast one address may try.
"""

from __future__ import annotations

import argparse
import secrets
import sys
from typing import Any

import httpx

from doorcode.client import CallError, Client, JwksCache, Problem, Result, Session, verify_token

DEFAULT_URL = "http://localhost:8787"


def main() -> None:
    """Tell the four stories against the server named on the command line."""
    url = server_named_on_the_command_line()
    inbox = Inbox(url)
    inbox.must_be_open()
    phone_number, email_address = invent_person()
    print(f"Doorcode at {url}")
    try:
        with Client(url) as client:
            sign_up_by_phone(client, inbox, phone_number)
            sign_in_by_phone(client, inbox, phone_number)
            sign_up_by_email(client, inbox, email_address)
            sign_in_by_email(client, inbox, email_address)
    except CallError as error:
        wait = f" Try again in {error.retry_after} seconds." if error.retry_after else ""
        sys.exit(f"\nThe server refused: {error}{wait}")
    print("\nAll four went through. The messages are still at", f"{url}/inbox")


def server_named_on_the_command_line() -> str:
    """Return the server's address, the development server's by default."""
    parser = argparse.ArgumentParser(description="Sign up and sign in through the Python SDK.")
    parser.add_argument("url", nargs="?", default=DEFAULT_URL, help=f"default: {DEFAULT_URL}")
    return str(parser.parse_args().url).rstrip("/")


def sign_up_by_phone(client: Client, inbox: Inbox, phone_number: str) -> None:
    """Become a user with nothing but a phone number."""
    title("Sign up with a phone number")
    sign_up = client.sign_up
    call(f'sign_up.create(phone_number="{phone_number}")')
    sign_up.create(phone_number=phone_number).raise_for_error()
    show("status", sign_up.status)
    show("unverified_fields", ", ".join(sign_up.unverified_fields))

    call("sign_up.verifications.send_phone_code()")
    sign_up.verifications.send_phone_code().raise_for_error()
    code = inbox.read_code(phone_number)

    call(f'sign_up.verifications.verify_phone_code(code="{code}")')
    sign_up.verifications.verify_phone_code(code=code).raise_for_error()
    show("status", sign_up.status)
    show("created_user_id", sign_up.created_user_id)

    call("sign_up.finalize(navigate=welcome)")
    sign_up.finalize(navigate=welcome).raise_for_error()
    sign_out(client)


def sign_in_by_phone(client: Client, inbox: Inbox, phone_number: str) -> None:
    """Come back, mistype the code once, and show who one is to somebody else."""
    title("Sign in with the same number")
    sign_in = client.sign_in
    call(f'sign_in.phone_code.send_code(phone_number="{phone_number}")')
    sign_in.phone_code.send_code(phone_number=phone_number).raise_for_error()
    show("status", sign_in.status)
    code = inbox.read_code(phone_number)

    wrong = f"{(int(code) + 1) % 1_000_000:06}"
    call(f'sign_in.phone_code.verify_code(code="{wrong}")')
    refused = sign_in.phone_code.verify_code(code=wrong)
    show("errors.fields.code", reason(refused, sign_in.errors.fields.code))

    call(f'sign_in.phone_code.verify_code(code="{code}")')
    sign_in.phone_code.verify_code(code=code).raise_for_error()
    show("status", sign_in.status)

    call("sign_in.finalize(navigate=welcome)")
    sign_in.finalize(navigate=welcome).raise_for_error()
    check_token(client)
    sign_out(client)


def sign_up_by_email(client: Client, inbox: Inbox, email_address: str) -> None:
    """Become a user with nothing but an e-mail address."""
    title("Sign up with an e-mail address")
    sign_up = client.sign_up
    call('sign_up.create(email_address="ada at example")')
    refused = sign_up.create(email_address="ada at example")
    show("errors.fields.email_address", reason(refused, sign_up.errors.fields.email_address))

    call(f'sign_up.create(email_address="{email_address}")')
    sign_up.create(email_address=email_address).raise_for_error()
    show("status", sign_up.status)
    show("unverified_fields", ", ".join(sign_up.unverified_fields))

    call("sign_up.email_code.send_code()")
    sign_up.email_code.send_code().raise_for_error()
    code = inbox.read_code(email_address)

    call(f'sign_up.email_code.verify_code(code="{code}")')
    sign_up.email_code.verify_code(code=code).raise_for_error()
    show("status", sign_up.status)

    call("sign_up.finalize(navigate=welcome)")
    sign_up.finalize(navigate=welcome).raise_for_error()
    sign_out(client)


def sign_in_by_email(client: Client, inbox: Inbox, email_address: str) -> None:
    """Come back by e-mail."""
    title("Sign in with the same address")
    sign_in = client.sign_in
    call(f'sign_in.email_code.send_code(email_address="{email_address}")')
    sign_in.email_code.send_code(email_address=email_address).raise_for_error()
    show("status", sign_in.status)
    code = inbox.read_code(email_address)

    call(f'sign_in.email_code.verify_code(code="{code}")')
    sign_in.email_code.verify_code(code=code).raise_for_error()
    show("status", sign_in.status)

    call("sign_in.finalize(navigate=welcome)")
    sign_in.finalize(navigate=welcome).raise_for_error()
    sign_out(client)


def welcome(session: Session) -> None:
    """Stand where a real program would go on to its first page."""
    show("signed in", session.user.id if session.user else session.id)


def check_token(client: Client) -> None:
    """Check a session token as another service would: with public keys, without a call home."""
    call("verify_token(client.get_token(), JwksCache(client.url))")
    token = client.get_token()
    claims = verify_token(token or "", JwksCache(client.url))
    show("user_id", claims.user_id)
    show("expires_at", f"{claims.expires_at:%H:%M:%S} UTC")


def sign_out(client: Client) -> None:
    """Leave."""
    call("client.sign_out()")
    client.sign_out().raise_for_error()
    show("is_signed_in", client.is_signed_in)


class Inbox:
    """The development inbox: where codes land that would otherwise go by SMS or e-mail."""

    def __init__(self, url: str) -> None:
        self._messages = f"{url}/inbox/messages"

    def must_be_open(self) -> None:
        """Stop before anything is sent to anybody, unless this server keeps its messages."""
        try:
            httpx.get(self._messages, params={"to": "+14155550100"}).raise_for_status()
        except httpx.HTTPError as error:
            sys.exit(
                f"No development inbox at {self._messages} ({error}).\nIs `make dev` running? "
                "A server elsewhere is named so: quickstart.py URL"
            )

    def read_code(self, address: str) -> str:
        """Return the newest code sent to an address."""
        messages: list[dict[str, Any]] = httpx.get(self._messages, params={"to": address}).json()
        newest = messages[0]
        print(f"      ✉ {newest['channel']} to {newest['to']}: code {newest['code']}")
        return str(newest["code"])


def invent_person() -> tuple[str, str]:
    """Return a phone number and an e-mail address that belong to nobody."""
    # 555 is an exchange that no phone company gives to people.
    area = secrets.choice(["212", "303", "415", "617", "646", "702", "808", "917"])
    number = f"+1{area}555{secrets.randbelow(7000) + 2000}"
    return number, f"ada.{secrets.token_hex(4)}@example.com"


def reason(refused: Result, problem: Problem | None) -> str:
    """Return what a form would show beside its field."""
    if problem is None:
        refused.raise_for_error()
        sys.exit("\nThe server accepted what it should have refused.")
    return f"{problem.message} ({problem.code})"


def title(text: str) -> None:
    """Begin a story."""
    print(f"\n{text}\n{'─' * len(text)}")


def call(text: str) -> None:
    """Print a call before it is made."""
    print(f"  {text}")


def show(name: str, value: object) -> None:
    """Print what a call led to."""
    print(f"      → {name}: {value}")


if __name__ == "__main__":
    main()
