"""E-mail by a real mail server on the loopback: what arrives, and what each refusal means."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from email.utils import parsedate_to_datetime
from functools import partial
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP

from doorcode.delivery import smtp as smtp_module
from doorcode.delivery.interface import Never, NotSent, TryAnother, TryElsewhere, TryLater
from doorcode.delivery.smtp import Relay, Smtp, Tls, parse_sender, parse_url

from .conftest import CODE, NOON, PATIENCE, LetterMaker
from .mail_server import (
    PASSWORD,
    URL_PASSWORD,
    USER,
    Mailbox,
    MailServer,
    check_login,
    make_certificate,
)

SENDER = "Acme <no-reply@acme.example>"
Serve = Callable[..., int]
Talk = Callable[[asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    """Return a function that starts a mail server and returns its port."""
    servers: list[MailServer] = []

    def start(mailbox: Mailbox, **settings: Any) -> int:
        servers.append(MailServer(mailbox, **settings))
        servers[-1].start()
        return servers[-1].listens_on

    yield start
    for server in servers:
        await asyncio.to_thread(server.stop)
    await lines_closed()


@asynccontextmanager
async def talking(talk: Talk) -> AsyncIterator[int]:
    """A server that says what `talk` says, and then hangs up; its port."""

    async def one_line(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await talk(reader, writer)
        writer.close()

    server = await asyncio.start_server(one_line, "127.0.0.1", 0)
    async with server:
        yield server.sockets[0].getsockname()[1]
    await lines_closed()


async def lines_closed() -> None:
    """Both ends of a TLS line say goodbye; the loop must live until they have."""
    for _ in range(10):
        await asyncio.sleep(0.001)


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def plain(port: int) -> Smtp:
    return Smtp(f"smtp://127.0.0.1:{port}?starttls=never", SENDER)


# ── what arrives ──────────────────────────────────────────────────────────────────────
async def test_a_letter_arrives_with_text_and_html(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox)).send(letter())
    [mail] = mailbox.mails
    text, html = mail.get_body(("plain",)), mail.get_body(("html",))
    assert text is not None and text.get_content().splitlines() == letter().text.splitlines()
    assert html is not None and html.get_content().strip() == letter().html
    assert mail.get_content_type() == "multipart/alternative"


async def test_its_headers_are_those_of_the_letter(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox)).send(letter())
    [mail] = mailbox.mails
    assert (mail["From"], mail["To"]) == (SENDER, "ada@example.com")
    assert mail["Subject"] == f"{CODE} is your Acme code"
    assert mail["Auto-Submitted"] == "auto-generated"
    assert parsedate_to_datetime(mail["Date"]).timestamp() * 1000 == NOON


async def test_the_envelope_names_sender_and_recipient(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox)).send(letter(to="Ada@Example.com"))
    [envelope] = mailbox.envelopes
    assert envelope.mail_from == "no-reply@acme.example"
    assert envelope.rcpt_tos == ["Ada@example.com"]  # a local part may mind its capitals


async def test_a_letter_sent_again_has_the_same_message_id(
    serve: Serve, letter: LetterMaker
) -> None:
    mailbox = Mailbox()
    smtp = plain(serve(mailbox))
    for id_ in ("msg_1", "msg_1", "msg_2"):
        await smtp.send(letter(id=id_))
    first, again, other = [mail["Message-ID"] for mail in mailbox.mails]
    assert first == again == "<msg_1@acme.example>"
    assert other == "<msg_2@acme.example>"


async def test_words_beyond_ascii_arrive_whole(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox()
    subject, text = f"{CODE} is your Кафе Ωmega 東京 code", "Ваш код «731904»\n"
    smtp = Smtp(f"smtp://127.0.0.1:{serve(mailbox)}?starttls=never", "Кафе, Ltd <a@b.example>")
    await smtp.send(letter(subject=subject, text=text, html=f"<p>{text}</p>"))
    [mail] = mailbox.mails
    body = mail.get_body(("plain",))
    assert mail["Subject"] == subject
    assert body is not None and body.get_content().strip() == text.strip()
    assert mailbox.envelopes[0].content.isascii()  # type: ignore[union-attr]


async def test_a_domain_beyond_ascii_goes_out_in_ascii(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox)).send(letter(to="ada@münchen.de"))
    assert mailbox.envelopes[0].rcpt_tos == ["ada@xn--mnchen-3ya.de"]
    assert mailbox.mails[0]["To"] == "ada@xn--mnchen-3ya.de"


async def test_a_mailbox_beyond_ascii_is_spoken_of_in_utf8(
    serve: Serve, letter: LetterMaker
) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox)).send(letter(to="дана@example.com"))
    [envelope] = mailbox.envelopes
    assert envelope.rcpt_tos == ["дана@example.com"]
    assert "SMTPUTF8" in envelope.mail_options
    assert "To: дана@example.com\r\n".encode() in envelope.content  # type: ignore[operator]


async def test_a_server_without_smtputf8_never_gets_such_a_mailbox(
    serve: Serve, letter: LetterMaker
) -> None:
    mailbox = Mailbox()
    smtp = plain(serve(mailbox, enable_SMTPUTF8=False))
    with pytest.raises(Never, match="SMTPUTF8"):
        await smtp.send(letter(to="дана@example.com"))
    assert mailbox.envelopes == []


async def test_a_bad_goodbye_takes_no_letter_back(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox(quit="421 4.3.2 going down")
    await plain(serve(mailbox)).send(letter())
    assert len(mailbox.envelopes) == 1


# ── refusals ──────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("command", "reply", "sort", "why"),
    [
        (
            "rcpt",
            "450 4.2.1 greylisted",
            TryLater,
            "the mail server refused the recipient: 450 4.2.1",
        ),
        (
            "rcpt",
            "550 5.1.1 no such user",
            Never,
            "the mail server refused the recipient: 550 5.1.1",
        ),
        ("rcpt", "553 no", Never, "the mail server refused the recipient: 553"),
        ("mail", "451 4.3.0 later", TryLater, "the mail server refused the sender: 451 4.3.0"),
        ("mail", "550 5.7.1 who?", TryAnother, "the mail server refused the sender: 550 5.7.1"),
        ("data", "452 4.3.1 full", TryLater, "the mail server refused the letter: 452 4.3.1"),
        ("data", "554 5.7.1 spam", TryElsewhere, "the mail server refused the letter: 554 5.7.1"),
        ("data", "554 5.6.0 odd", Never, "the mail server refused the letter: 554 5.6.0"),
        ("data", "554 no", Never, "the mail server refused the letter: 554"),
        (
            "rcpt",
            "550 5.7.1 relaying denied",
            TryElsewhere,
            "the mail server refused the recipient: 550 5.7.1",
        ),
        ("rcpt", "452 4.2.2 full", TryLater, "the mail server refused the recipient: 452 4.2.2"),
    ],
)
async def test_each_refusal_says_whether_to_try_again(
    serve: Serve, letter: LetterMaker, command: str, reply: str, sort: type[NotSent], why: str
) -> None:
    mailbox = Mailbox(**{command: reply})
    with pytest.raises(NotSent) as raised:
        await plain(serve(mailbox)).send(letter())
    assert type(raised.value) is sort
    assert (raised.value.why, raised.value.code) == (why, reply[:3])
    assert not raised.value.maybe
    assert mailbox.envelopes == []


@pytest.mark.parametrize("command", ["rcpt", "data"])
async def test_a_refusal_that_quotes_the_letter_is_not_repeated(
    serve: Serve, letter: LetterMaker, command: str
) -> None:
    mailbox = Mailbox(**{command: f"550 5.1.1 <ada@example.com>: {CODE} is your Acme code"})
    with pytest.raises(Never) as raised:
        await plain(serve(mailbox)).send(letter())
    assert "ada" not in raised.value.why
    assert CODE not in raised.value.why
    assert raised.value.__suppress_context__


async def test_nobody_at_the_port_means_later(letter: LetterMaker) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with pytest.raises(TryLater, match="cannot be used: Error connecting to 127.0.0.1"):
        await plain(port).send(letter())


async def test_a_server_that_says_nothing_means_later(
    letter: LetterMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert smtp_module.TIMEOUT_SECONDS == 15
    monkeypatch.setattr(smtp_module, "TIMEOUT_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as silent, pytest.raises(TryLater):
        async with asyncio.timeout(PATIENCE):
            await plain(silent.getsockname()[1]).send(letter())


def until(command: bytes) -> Talk:
    """A server that agrees to everything until a line begins so, and says nothing to that."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 hello\r\n")
        reply = b"250 OK\r\n"
        while not (heard := await reader.readline()).upper().startswith(command):
            if heard.startswith(b"DATA"):
                writer.write(b"354 go on\r\n")
                reply = b""
            writer.write(reply)

    return talk


@pytest.mark.parametrize(
    ("command", "may_be_taken"),
    [(b"MAIL", False), (b"RCPT", False), (b"DATA", True), (b".\r\n", True)],
)
async def test_a_line_that_breaks_may_have_carried_the_letter_once_it_was_begun(
    letter: LetterMaker, command: bytes, may_be_taken: bool
) -> None:
    async with talking(until(command)) as port:
        with pytest.raises(TryLater, match="the line to the mail server broke") as raised:
            await plain(port).send(letter())
    assert raised.value.maybe is may_be_taken


async def test_a_server_that_never_answers_the_letter_may_have_taken_it(
    letter: LetterMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def silent(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await until(b".\r\n")(reader, writer)
        await reader.read()

    monkeypatch.setattr(smtp_module, "TIMEOUT_SECONDS", 0.1)
    async with talking(silent) as port:
        with pytest.raises(TryLater, match="took too long") as raised:
            await plain(port).send(letter())
    assert raised.value.maybe


@pytest.mark.parametrize(
    ("greeting", "sort"),
    [("554 5.7.1 your address is listed", TryAnother), ("421 4.3.2 too many lines", TryLater)],
)
async def test_a_server_that_turns_us_away_says_for_how_long(
    letter: LetterMaker, greeting: str, sort: type[NotSent]
) -> None:
    async def no(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(f"{greeting}\r\n".encode())

    async with talking(no) as port:
        with pytest.raises(NotSent, match=f"refused us: {greeting}") as raised:
            await plain(port).send(letter())
    assert type(raised.value) is sort


# ── TLS and login ─────────────────────────────────────────────────────────────────────
async def test_starttls_is_used_where_it_is_required(
    serve: Serve, letter: LetterMaker, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    mailbox = Mailbox()
    port = serve(mailbox, tls_context=certificate[0], require_starttls=True)
    await Smtp(f"smtp://127.0.0.1:{port}", SENDER, certificate[1]).send(letter())
    assert mailbox.sessions[0].ssl is not None


async def test_a_server_without_starttls_gets_nothing_where_it_is_required(
    serve: Serve, letter: LetterMaker
) -> None:
    mailbox = Mailbox()
    smtp = Smtp(f"smtp://127.0.0.1:{serve(mailbox)}?starttls=required", SENDER)
    with pytest.raises(TryLater, match="STARTTLS"):
        await smtp.send(letter())
    assert mailbox.envelopes == []


async def test_a_certificate_that_nobody_vouches_for_is_refused(
    serve: Serve, letter: LetterMaker, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    mailbox = Mailbox()
    port = serve(mailbox, tls_context=certificate[0])
    with pytest.raises(TryLater, match="no trusted TLS"):
        await Smtp(f"smtp://127.0.0.1:{port}", SENDER).send(letter())
    assert mailbox.envelopes == []


async def test_auto_encrypts_where_it_can(
    serve: Serve, letter: LetterMaker, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    with_tls, without = Mailbox(), Mailbox()
    for mailbox, settings in ((with_tls, {"tls_context": certificate[0]}), (without, {})):
        port = serve(mailbox, **settings)
        await Smtp(f"smtp://127.0.0.1:{port}?starttls=auto", SENDER).send(letter())
    assert with_tls.sessions[0].ssl is not None
    assert without.sessions[0].ssl is None


async def test_never_does_not_encrypt(
    serve: Serve, letter: LetterMaker, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox, tls_context=certificate[0])).send(letter())
    assert mailbox.sessions[0].ssl is None


async def test_smtps_is_encrypted_from_the_first_byte(
    letter: LetterMaker, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    mailbox = Mailbox()
    loop = asyncio.get_running_loop()
    factory = partial(SMTP, mailbox, loop=loop)
    server = await loop.create_server(factory, "127.0.0.1", 0, ssl=certificate[0])
    port = server.sockets[0].getsockname()[1]
    await Smtp(f"smtps://127.0.0.1:{port}", SENDER, certificate[1]).send(letter())
    with pytest.raises(TryLater, match="CERTIFICATE_VERIFY_FAILED"):
        await Smtp(f"smtps://127.0.0.1:{port}", SENDER).send(letter())
    server.close()
    await lines_closed()
    assert len(mailbox.envelopes) == 1


async def test_a_login_with_odd_characters_succeeds(
    serve: Serve, letter: LetterMaker, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    mailbox = Mailbox()
    port = serve(mailbox, tls_context=certificate[0], authenticator=check_login, auth_required=True)
    url = f"smtp://{USER}:{URL_PASSWORD}@127.0.0.1:{port}"
    await Smtp(url, SENDER, certificate[1]).send(letter())
    assert mailbox.sessions[0].authenticated


async def test_a_refused_login_means_another_way(
    serve: Serve, letter: LetterMaker, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    mailbox = Mailbox()
    port = serve(mailbox, tls_context=certificate[0], authenticator=check_login, auth_required=True)
    smtp = Smtp(f"smtp://{USER}:wr0ng@127.0.0.1:{port}", SENDER, certificate[1])
    with pytest.raises(TryAnother, match="refused the login: 535") as raised:
        await smtp.send(letter())
    assert "wr0ng" not in raised.value.why
    assert mailbox.envelopes == []


# ── injection ─────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    "to",
    [
        "ada@example.com\r\nRCPT TO:<eve@example.com>",
        "ada@example.com\nBcc: eve@example.com",
        "ada@example.com, eve@example.com",
        "ada@example.com> <eve@example.com",
        "Ada <ada@example.com>",
        "ada@exam\x00ple.com",
        '"ada\r\n"@example.com',
        "ada",
        "",
    ],
)
async def test_a_recipient_that_is_not_one_address_gets_nothing(
    serve: Serve, letter: LetterMaker, to: str
) -> None:
    mailbox = Mailbox()
    with pytest.raises(Never, match="the recipient is no e-mail address"):
        await plain(serve(mailbox)).send(letter(to=to))
    assert mailbox.envelopes == []


@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r"])
async def test_a_subject_with_a_line_break_is_not_sent(
    serve: Serve, letter: LetterMaker, breaks: str
) -> None:
    mailbox = Mailbox()
    with pytest.raises(Never, match="line break"):
        await plain(serve(mailbox)).send(letter(subject=f"code{breaks}Bcc: eve@example.com"))
    assert mailbox.envelopes == []


async def test_a_line_of_one_dot_does_not_end_the_letter(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox)).send(letter(text="a\r\n.\r\nMAIL FROM:<eve@example.com>\r\n"))
    body = mailbox.mails[0].get_body(("plain",))
    assert len(mailbox.envelopes) == 1
    assert body is not None and body.get_content().splitlines() == [
        "a",
        ".",
        "MAIL FROM:<eve@example.com>",
    ]


async def test_an_id_adds_no_header(serve: Serve, letter: LetterMaker) -> None:
    mailbox = Mailbox()
    await plain(serve(mailbox)).send(letter(id="msg_1>\r\nBcc: <eve"))
    assert mailbox.mails[0]["Message-ID"] == "<msg_1Bcceve@acme.example>"
    assert mailbox.mails[0]["Bcc"] is None


@pytest.mark.parametrize(
    "sender",
    [
        "Acme <a@b.example>\r\nBcc: eve@example.com",
        "Acme\n <a@b.example>",
        "a@b.example, eve@example.com",
        "Acme",
        "",
        "a@",
        "@b.example",
        "ä@b.example",
        "a@bücher.example",
        "a b@c.example",
        "a@b.example.",
    ],
)
def test_a_sender_that_is_not_one_address_is_refused(sender: str) -> None:
    with pytest.raises(ValueError, match="no-reply@example.com"):
        parse_sender(sender)


@pytest.mark.parametrize(
    ("sender", "name", "address"),
    [
        ("a@b.example", "", "a@b.example"),
        ("Acme <no-reply@acme.example>", "Acme", "no-reply@acme.example"),
        ('"Acme, Inc." <x+y@localhost>', "Acme, Inc.", "x+y@localhost"),
        ("Acme, Inc. <a@b.example>", "Acme, Inc.", "a@b.example"),
        ("Кафе <a@xn--bcher-kva.example>", "Кафе", "a@xn--bcher-kva.example"),
    ],
)
def test_a_sender_is_an_address_with_or_without_a_name(
    sender: str, name: str, address: str
) -> None:
    parsed = parse_sender(sender)
    assert (parsed.display_name, parsed.addr_spec) == (name, address)


# ── URLs ──────────────────────────────────────────────────────────────────────────────
@pytest.mark.parametrize(
    ("url", "relay"),
    [
        ("smtp://mail.example.com", Relay("mail.example.com", 587, Tls.REQUIRED)),
        ("smtps://mail.example.com", Relay("mail.example.com", 465, Tls.FROM_START)),
        ("smtps://h:2465/", Relay("h", 2465, Tls.FROM_START)),
        ("smtp://localhost:1025?starttls=never", Relay("localhost", 1025, Tls.NEVER)),
        ("smtp://localhost:25/?starttls=auto", Relay("localhost", 25, Tls.AUTO)),
        ("smtp://[::1]:25", Relay("::1", 25, Tls.REQUIRED)),
        ("smtp://u%40x.example:p@h", Relay("h", 587, Tls.REQUIRED, "u@x.example", "p")),
        (f"smtp://{USER}:{URL_PASSWORD}@h", Relay("h", 587, Tls.REQUIRED, USER, PASSWORD)),
        ("smtp://u:p@h?starttls=never", Relay("h", 587, Tls.NEVER, "u", "p")),
    ],
)
def test_a_url_names_the_server(url: str, relay: Relay) -> None:
    assert parse_url(url) == relay


@pytest.mark.parametrize(
    ("url", "mend"),
    [
        ("", "must look like smtp://"),
        ("mail.example.com:587", "must look like smtp://"),
        ("http://mail.example.com", "must look like smtp://"),
        ("smtp://", "must look like smtp://"),
        ("smtp://h:0", "must look like smtp://"),
        ("smtp://h:99999", "cannot be read"),
        ("smtp://u:hunter2/x@h", "%2F"),
        ("smtp://u:hunter2#x@h", "%23"),
        ("smtp://[::1", "cannot be read"),
        ("smtp://h/mail", "ends after the port"),
        ("smtp://h?starttls=maybe", "one of required, auto and never"),
        ("smtp://h?starttls=", "one of required, auto and never"),
        ("smtp://h?tls=1", "only option"),
        ("smtps://h?starttls=required", "leave \\?starttls= out"),
        ("smtp://user@h", "both a user and a password"),
        ("smtp://:hunter2@h", "both a user and a password"),
        ("smtp://u:hunter2@h?starttls=auto", "starttls=required"),
    ],
)
def test_a_url_that_cannot_be_used_names_the_mend(url: str, mend: str) -> None:
    with pytest.raises(ValueError, match=mend) as raised:
        parse_url(url)
    assert "hunter2" not in str(raised.value)


def test_a_printed_relay_shows_no_password() -> None:
    assert "hunter2" not in repr(parse_url("smtp://u:hunter2@h"))
