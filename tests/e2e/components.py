"""The SDK's ready-made components, driven by the words and fields that they show."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect
from tests.e2e.processes import Inbox


class Components:
    """A person in front of `<SignUp/>`, `<SignIn/>`, `<UserButton/>` and `<UserProfile/>`."""

    def __init__(self, visitor: Any, inbox: Inbox) -> None:
        self._visitor = visitor
        self._inbox = inbox

    @property
    def page(self) -> Page:
        page: Page = self._visitor.page
        return page

    # ── signing up and in ─────────────────────────────────────────────────────────────
    def enter(self, address: str) -> None:
        """Type an address where it belongs, and be sent a code."""
        self.type_address(address)
        with self._visitor.is_sent_a_code():
            self.press("Continue")

    def type_address(self, address: str) -> None:
        phone = address.startswith("+")
        field = self.phone_field if phone else self.email_field
        switch = self.page.get_by_text("Use phone" if phone else "Use email")
        expect(field.or_(switch).first).to_be_visible()
        if not field.is_visible():
            switch.click()
        # The phone field draws the country code itself and takes the whole number when pasted.
        field.fill(address)

    @property
    def phone_field(self) -> Locator:
        return self.page.locator('input[type="tel"]')

    @property
    def email_field(self) -> Locator:
        return self.page.locator(
            'input[name="emailAddress"], input[name="identifier"]:not([type="tel"])'
        )

    @property
    def code_field(self) -> Locator:
        return self.page.get_by_role("textbox", name="Enter verification code")

    def type_code(self, code: str) -> None:
        expect(self.code_field).to_have_value("")  # a wrong one is wiped after a moment
        self.code_field.press_sequentially(code)

    def answer(self, address: str) -> None:
        """Type the code that was sent last to an address."""
        self.type_code(self._inbox.code(address))

    def reload_at_the_code(self) -> None:
        """Reload where a code is asked for, and wait until everything has been fetched."""
        expect(self.code_field).to_be_visible()
        self.page.reload()
        expect(self.code_field).to_be_visible()
        self.page.wait_for_load_state("networkidle")

    def sign_up(self, address: str) -> None:
        self._visitor.open("/prebuilt/sign-up")
        self.enter(address)
        self.answer(address)
        self._visitor.arrives("/dashboard")

    def sign_in(self, address: str) -> None:
        self._visitor.open("/prebuilt/sign-in")
        self.enter(address)
        self.answer(address)

    # ── the button ────────────────────────────────────────────────────────────────────
    def open_user_button(self) -> Locator:
        """The panel that opens by it."""
        if "/prebuilt/user" not in self.page.url:
            self._visitor.open("/prebuilt/user")
        self.page.get_by_role("button", name="Open user menu").click()
        panel = self.page.get_by_role("dialog", name="Account panel")
        expect(panel).to_be_visible()
        return panel

    def sign_out(self) -> None:
        panel = self.open_user_button()
        panel.get_by_role("button", name="Sign out", exact=True).click()
        self._visitor.sees_signed_out()

    # ── the account ───────────────────────────────────────────────────────────────────
    def open_account(self) -> None:
        self._visitor.open("/prebuilt/account")
        expect(self.page.get_by_role("heading", name="Profile details")).to_be_visible()

    def open_security(self) -> None:
        self._visitor.open("/prebuilt/account/security")
        expect(self.page.get_by_role("heading", name="Security")).to_be_visible()

    def section(self, name: str) -> Locator:
        """A section of the account by the component's name for it, such as emailAddresses."""
        return self.page.locator(f".cl-profileSection__{name}")

    def add_address(self, address: str) -> None:
        """Name another address as one's own; a code is sent there."""
        phone = address.startswith("+")
        self.press("Add phone number" if phone else "Add email address")
        (self.phone_field if phone else self.page.get_by_label("Email address")).fill(address)
        with self._visitor.is_sent_a_code():
            self.press("Add")

    def choose(self, item: Locator, action: str) -> None:
        """An action of the menu beside something."""
        item.get_by_role("button").last.click()
        self.page.get_by_role("menuitem", name=action).click()

    # ── anywhere ──────────────────────────────────────────────────────────────────────
    def press(self, name: str) -> None:
        button = self.page.get_by_role("button", name=name, exact=True)
        # While one card turns into the next, the button of the earlier one is still there.
        expect(button).to_have_count(1)
        button.click()

    def backup_codes(self) -> list[str]:
        """The backup codes that are shown."""
        expect(self.page.get_by_text("Save these backup codes")).to_be_visible()
        codes = re.findall(r"^[0-9a-z]{10}$", self.page.inner_text("main"), re.MULTILINE)
        assert len(codes) == len(set(codes)) == 10, codes
        return codes
