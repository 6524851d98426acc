"""The words of a letter, and what an app's name cannot do to them."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorcode.delivery.interface import Letter, Withheld
from doorcode.delivery.render import (
    Notice,
    Unreadable,
    pack,
    pack_notice,
    pack_withheld,
    render,
)
from doorcode.delivery.sms import NAME_CHARACTERS, clean_name
from doorcode.delivery.words import SHIPPED, Voice
from doorcode.domain.message import Message
from doorcode.domain.segments import SEPTETS

from .conftest import CODE, NOON


def message(channel: str, to: str = "+14155552671") -> Message:
    return Message("msg_1", "ver_1", channel, to, False, b"", NOON, NOON + 600_000, 1)


def rendered(channel: str, name: str, code: str = CODE) -> Letter:
    return render(message(channel), pack(code, name, "en-US"))


def test_a_text_message_reads_as_one_sentence_and_a_warning() -> None:
    letter = rendered("sms", "Acme")
    assert letter.text == f"{CODE} is your Acme code. It is valid for 10 minutes. Do not share it."
    assert (letter.subject, letter.html) == ("", "")


def test_an_e_mail_carries_the_code_in_all_three_parts() -> None:
    letter = rendered("email", "Acme")
    assert letter.subject == f"{CODE} is your Acme code"
    assert f"\n{CODE}\n" in letter.text
    assert f">{CODE}</p>" in letter.html  # one run of text: a double click takes all of it


def test_a_letter_keeps_the_id_and_the_recipient_of_its_message() -> None:
    letter = render(message("email", "Ada@Example.com"), pack(CODE, "Acme", None))
    assert (letter.id, letter.to, letter.code) == ("msg_1", "Ada@Example.com", CODE)
    assert (letter.channel, letter.created_at) == ("email", NOON)


def test_what_is_withheld_becomes_no_letter() -> None:
    with pytest.raises(Withheld):
        render(message("sms"), pack_withheld(CODE, "Acme", None))


def test_an_e_mail_loads_nothing_from_elsewhere() -> None:
    html = rendered("email", "Acme").html.lower()
    for remote in ("http:", "https:", "<img", "<link", "<script", "url(", "src=", "@import"):
        assert remote not in html


def test_an_e_mail_has_a_light_and_a_dark_dress() -> None:
    html = rendered("email", "Acme").html
    assert 'name="color-scheme" content="light dark"' in html
    assert "prefers-color-scheme: dark" in html


def test_markup_in_a_name_is_shown_not_run() -> None:
    letter = rendered("email", "<script>alert(1)</script>&")
    assert "<script" not in letter.html
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;" in letter.html
    assert "<script>alert(1)</script>&" in letter.text


def test_markup_in_a_code_is_shown_not_run() -> None:
    assert "<b>" not in rendered("email", "Acme", code="<b>1</b>").html


@pytest.mark.parametrize("breaks", ["\r\n", "\n", "\r", "\x00", "\u2028", "\u2029", "\x85", "\x0b"])
def test_a_line_break_in_a_name_adds_no_header(breaks: str) -> None:
    subject = rendered("email", f"Acme{breaks}Bcc: eve@example.com").subject
    assert len(subject.splitlines()) == 1
    assert breaks not in subject


def test_a_name_cannot_turn_the_line_around() -> None:
    assert clean_name("Ac\u202eme\u2066") == "Acme"


def test_a_name_keeps_the_joiners_that_words_need() -> None:
    assert clean_name("می\u200cخواهم") == "می\u200cخواهم"


def test_a_lone_surrogate_in_a_name_is_dropped() -> None:
    assert clean_name("Ac\ud800me") == "Acme"


def test_a_long_name_is_cut() -> None:
    assert clean_name("x" * 100) == "x" * (NAME_CHARACTERS - 1) + "…"
    assert clean_name("x" * NAME_CHARACTERS) == "x" * NAME_CHARACTERS


def test_a_name_of_nothing_is_left_out() -> None:
    assert rendered("email", " \n ").subject == f"{CODE} is your code"
    assert rendered("sms", "\x00").text.startswith(f"{CODE} is your code. ")
    assert rendered("email", "").text.startswith("Your code is:")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("Café Müller", "Café Müller"),  # in the alphabet as they are
        ("Šárka", "Sarka"),
        ("Câfé", "Café"),
        ("{Acme}", "{Acme}"),
    ],
)
def test_a_name_is_written_in_the_alphabet_of_text_messages(name: str, written: str) -> None:
    assert f" is your {written} code." in rendered("sms", name).text


@pytest.mark.parametrize("name", ["Банк", "東京", "Acme 🚪", "Acme`"])  # ` is not in the alphabet
def test_a_name_that_would_cost_a_second_segment_is_left_out(name: str) -> None:
    text = rendered("sms", name).text
    assert text == f"{CODE} is your code. It is valid for 10 minutes. Do not share it."
    assert name in rendered("email", name).subject


def test_a_name_of_costly_brackets_is_cut_to_one_segment() -> None:
    text = rendered("sms", "{" * NAME_CHARACTERS).text
    septets = len(text) + text.count("{")
    assert SEPTETS - 1 <= septets <= SEPTETS
    assert text.endswith("Do not share it.")


@settings(deadline=None)
@given(st.text(max_size=300))
def test_no_name_breaks_a_letter(name: str) -> None:
    subject = rendered("email", name).subject
    text = rendered("sms", name).text
    assert len(subject.splitlines()) == 1
    assert not any(unicodedata.category(char) in ("Cc", "Cs") for char in subject)
    assert subject.startswith(f"{CODE} is your ")
    assert text.startswith(f"{CODE} is your ")
    assert len(text) + sum(text.count(c) for c in "^{}\\[~]|€") <= SEPTETS


# ── letters without a code ────────────────────────────────────────────────────────────
LINK = "https://auth.example.com/v1/tickets/accept?ticket=inv_1.mac"


def noticed(notice: Notice, name: str = "Acme", days: int = 30) -> Letter:
    link = LINK if notice is Notice.INVITATION else ""
    return render(message("email", "Ada@example.com"), pack_notice(notice, name, link, days))


def test_an_invitation_carries_its_link_in_both_parts() -> None:
    letter = noticed(Notice.INVITATION)
    assert letter.subject == "You are invited to Acme"
    assert f"\n{LINK}\n" in letter.text
    assert f'href="{LINK}"' in letter.html
    assert f">{LINK}</p>" in letter.html  # to be copied where there are no buttons
    assert (letter.link, letter.code) == (LINK, "")


@pytest.mark.parametrize(("days", "words"), [(1, "for 1 day."), (30, "for 30 days.")])
def test_an_invitation_says_how_long_it_is_valid(days: int, words: str) -> None:
    letter = noticed(Notice.INVITATION, days=days)
    assert words in letter.text
    assert words in letter.html


def test_a_word_from_the_waitlist_carries_no_link() -> None:
    letter = noticed(Notice.WAITLIST)
    assert letter.subject == "You are on the waitlist of Acme"
    assert letter.link == letter.code == ""
    assert "href" not in letter.html
    assert "valid" not in letter.text


@pytest.mark.parametrize(
    ("notice", "subject"),
    [(Notice.INVITATION, "You are invited"), (Notice.WAITLIST, "You are on the waitlist")],
)
def test_a_letter_of_an_app_without_a_name_still_reads(notice: Notice, subject: str) -> None:
    letter = noticed(notice, "")
    assert letter.subject == subject
    assert letter.text.startswith(f"{subject}\n\n")
    assert "\n\n\n" not in letter.text


def test_a_line_break_or_markup_in_a_name_stays_words_in_an_invitation() -> None:
    letter = noticed(Notice.INVITATION, "A\r\nBcc: eve@example.com <b>")
    assert letter.subject == "You are invited to A Bcc: eve@example.com <b>"
    assert "<b>" not in letter.html


def test_an_invitation_loads_nothing_from_elsewhere() -> None:
    html = noticed(Notice.INVITATION).html.lower()
    for remote in ("http:", "<img", "<link", "<script", "url(", "src=", "@import"):
        assert remote not in html


def test_an_invitation_is_told_by_e_mail_only() -> None:
    with pytest.raises(Unreadable):
        render(message("sms"), pack_notice(Notice.INVITATION, "Acme", LINK, 30))


def test_a_letter_in_a_log_shows_no_link() -> None:
    assert "inv_1" not in repr(noticed(Notice.INVITATION))


@pytest.mark.parametrize("name", ["Acme", ""])
def test_an_operator_is_told_of_a_pause_with_a_link_that_ends_it(name: str) -> None:
    about = {"country": "GB", "why": "codes are <b>never</b> {typed}"}
    packed = pack_notice(Notice.COUNTRY_PAUSED, name, LINK, 7, about)
    letter = render(message("email", "ops@example.com"), packed)
    of_acme = "Text messages of Acme to GB are paused"
    assert letter.subject == (of_acme if name else "Text messages to GB are paused")
    assert "runs up a bill: codes are <b>never</b> {typed}." in letter.text
    assert "<b>" not in letter.html
    assert f'href="{LINK}"' in letter.html
    assert ">Look at it, and resume</a>" in letter.html
    assert "for 7 days." in letter.text
    assert "you can ignore it" not in letter.text
    assert letter.link == LINK


def test_the_payload_is_json_with_what_was_packed() -> None:
    packed = json.loads(pack(CODE, "Acme", "de-DE"))
    assert packed == {"code": CODE, "name": "Acme", "locale": "de-DE"}


@pytest.mark.parametrize(
    "payload", [b"", b"{}", b"\xff", b"[]", b'{"code": 1, "name": "Acme"}', b'{"code": "1"']
)
def test_a_payload_of_another_kind_is_refused(payload: bytes) -> None:
    with pytest.raises(Unreadable):
        render(message("sms"), payload)


def test_a_refused_payload_is_not_quoted() -> None:
    payload: dict[str, Any] = {"code": CODE, "name": 7}
    with pytest.raises(Unreadable) as raised:
        render(message("sms"), json.dumps(payload).encode())
    assert CODE not in str(raised.value)
    assert raised.value.__suppress_context__


# ── languages ─────────────────────────────────────────────────────────────────────────
EACH_LANGUAGE = pytest.mark.parametrize("language", SHIPPED)


@EACH_LANGUAGE
def test_a_code_is_mailed_in_the_language_of_the_attempt(language: str) -> None:
    letter = render(message("email"), pack(CODE, "Acme", language))
    words = SHIPPED[language]
    assert letter.subject.startswith(CODE)
    assert "Acme" in letter.subject
    assert f"\n{CODE}\n" in letter.text
    assert words["heading"] in letter.text
    assert words["heading"] in letter.html
    assert words["unasked"] in letter.text
    assert f'<html lang="{language}"' in letter.html
    direction = "rtl" if language in ("ar", "he") else "ltr"
    assert f'dir="{direction}"' in letter.html
    assert "{" not in letter.text + letter.subject
    assert "{{" not in letter.html
    assert "{%" not in letter.html


@EACH_LANGUAGE
def test_an_html_mail_begins_with_the_code_for_the_lists_that_show_its_beginning(
    language: str,
) -> None:
    html = render(message("email"), pack(CODE, "Acme", language)).html
    body = html.partition("<body")[2].partition(">")[2]
    seen = re.sub(r"<[^>]*>", " ", body).split()
    assert seen[0] == CODE


@EACH_LANGUAGE
def test_the_code_is_read_from_the_left_in_every_language(language: str) -> None:
    html = render(message("email"), pack(CODE, "Acme", language)).html
    assert re.search(rf'<p class="code" dir="ltr"[^>]*>{CODE}</p>', html)


@EACH_LANGUAGE
@pytest.mark.parametrize("notice", [one for one in Notice if one is not Notice.COUNTRY_PAUSED])
def test_every_notice_is_there_in_every_language(language: str, notice: Notice) -> None:
    link = LINK if notice is Notice.INVITATION else ""
    packed = pack_notice(notice, "Acme", link, 30, voice=Voice(language))
    letter = render(message("email"), packed)
    assert "Acme" in letter.subject
    assert SHIPPED[language]["unexpected"] in letter.text
    assert ("30" in letter.text) == bool(link)
    assert ("href" in letter.html) == bool(link)
    assert "{{" not in letter.text + letter.html


def test_a_letter_to_an_operator_is_english_whatever_people_are_written_in() -> None:
    about = {"country": "GB", "why": "typed too seldom"}
    own = {"valid_days": "{{ days }}!", "unexpected": "?"}
    packed = pack_notice(Notice.COUNTRY_PAUSED, "Acme", LINK, 7, about, Voice("de", own))
    letter = render(message("email", "ops@example.com"), packed)
    assert letter.subject == "Text messages of Acme to GB are paused"
    assert "It is valid for 7 days." in letter.text


def test_a_code_by_sms_is_bound_to_the_host_and_by_whatsapp_it_is_not() -> None:
    packed = pack(CODE, "Acme", "de", "app.example.com")
    by_sms, by_whatsapp = (render(message(c), packed).text for c in ("sms", "whatsapp"))
    assert by_sms == f"{by_whatsapp}\n@app.example.com #{CODE}"
    assert "app.example.com" not in render(message("email"), packed).text


def test_own_words_stand_in_the_letter_and_are_never_markup() -> None:
    own = {"heading": "<b>Hier</b> & da:", "sms": "Nimm {{ code }}"}
    packed = pack(CODE, "Acme", "de-AT", "", own)
    assert render(message("sms"), packed).text == f"Nimm {CODE}"
    letter = render(message("email"), packed)
    assert "&lt;b&gt;Hier&lt;/b&gt; &amp; da:" in letter.html
    assert "<b>" not in letter.html
    assert "<b>Hier</b> & da:" in letter.text
    assert SHIPPED["de"]["advice"].split(".")[1] in letter.text


def test_own_words_of_a_language_that_is_not_shipped_keep_its_name() -> None:
    packed = pack(CODE, "Acme", "fa", "", dict(SHIPPED["en"]))
    assert '<html lang="fa" dir="rtl">' in render(message("email"), packed).html


@pytest.mark.parametrize("locale", [None, "", "tlh", "x" * 100, "../../etc"])
def test_a_locale_without_words_is_english(locale: str | None) -> None:
    text = render(message("sms"), pack(CODE, "Acme", locale)).text
    assert text.startswith(f"{CODE} is your Acme code")


@pytest.mark.parametrize("template", ["{{ cod }}", "{% for i in app %}{% endfor %}", "{{"])
def test_a_payload_with_a_template_that_cannot_be_rendered_is_refused_unquoted(
    template: str,
) -> None:
    with pytest.raises(Unreadable) as raised:
        render(message("sms"), pack(CODE, "Acme", "de", "", {"sms": template}))
    assert CODE not in str(raised.value)
    assert raised.value.__suppress_context__
