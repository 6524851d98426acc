"""What is said of an operator's texts when they are saved."""

from __future__ import annotations

from dataclasses import replace

import pytest

from doorcode.delivery.text_check import longest_host, problems
from doorcode.delivery.words import SHIPPED
from doorcode.domain.instance import Instance
from doorcode.domain.texts import PARTS, Texts

INSTANCE = Instance(
    id="ins_1",
    name="Acme",
    url="https://auth.example.com",
    origins=("https://example.com", "https://the-app.example.com:8443", "http://other.example"),
)


def said(own: dict[str, dict[str, str]], default: str = "en", **changes: str) -> list[str]:
    texts = Texts(default_language=default, own=own)
    return [one.text for one in problems(replace(INSTANCE, texts=texts, **changes))]


def test_the_shipped_texts_pass_the_check_of_own_ones() -> None:
    assert said({language: dict(words) for language, words in SHIPPED.items()}) == []


def test_a_good_text_passes() -> None:
    assert said({"de": {"sms": "{% if app %}{{ app }}: {% endif %}{{ code }}"}}) == []
    assert said({"en-GB": {"sms": "{{ code }}\nCheers"}}) == []


@pytest.mark.parametrize(
    ("part", "template", "problem"),
    [
        ("sms", "Hello", "lacks {{ code }}: write it where it is to stand"),
        ("subject", "Hello", "lacks {{ code }}"),
        ("valid_days", "Soon over", "lacks {{ days }}"),
        ("sms", "{{ code }", "cannot be read"),
        ("sms", "{{ code }} {{ name }}", "name is no placeholder here; there are app, code, min"),
        ("heading", "{{ code }}", "code is no placeholder here; there are app"),
        ("sms", "{% if app %}{{ code }}{% endif %}", "shows the code in some cases only"),
        ("sms", "{{ code }}{% for i in app %}{% endfor %}", "holds more than placeholders and if"),
        ("advice", "{{ ''.__class__ }}", "holds more than placeholders and if"),
        ("heading", "{% if app %}{{ app }}{% endif %}", "is empty once it is filled in"),
        ("sms", "{{ code }}\n@evil.example #{{ code }}", "a line that begins with @"),
        ("sms", "@evil.example #{{ code }}", "a line that begins with @"),
        ("sms", "{{ code }}\x0bx", "line break or a control character"),
        ("subject", "{{ code }}\nBcc: eve@example.com", "line break or a control character"),
        ("heading", "a\x07", "line break or a control character"),
        ("heading", "a\u202eb", "turns the line around"),
        ("subject", "{{ code }}" + "x" * 150, "has 156 characters once it is filled in"),
        ("invitation_button", "x" * 61, "shorten it to 60"),
        ("sms", "{{ code }}" + "ж" * 130, "is paid for as 3 messages, with the line for the-app"),
    ],
)
def test_a_wrong_text_is_refused_with_its_name_and_the_mend(
    part: str, template: str, problem: str
) -> None:
    (text,) = said({"de": {part: template}})
    assert text.startswith(f"texts.own: de.{part} ")
    assert problem in text


def test_a_long_name_of_the_app_is_no_reason_to_refuse_a_short_text() -> None:
    assert said({"en": {"sms": "{{ code }} {{ app }}" + "x" * 100}}, name="Many Words " * 9) == []


def test_a_language_that_is_not_shipped_is_written_whole() -> None:
    words = dict(SHIPPED["en"])
    assert said({"cs": words}) == []
    del words["unasked"]
    (text,) = said({"cs": words})
    assert text.endswith("write unasked too.")
    assert said({"cs": words, "cs-CZ": {"unasked": "?"}}) == [text]


def test_a_default_language_that_is_nowhere_is_refused_with_those_there_are() -> None:
    (text,) = said({}, default="cs")
    assert text.startswith("texts.default_language is cs, but there are no texts in it")
    assert "ar, da, de" in text
    assert said({}, default="de-AT") == []
    assert said({"cs": dict(SHIPPED["en"])}, default="cs-CZ") == []


def test_a_text_is_counted_with_the_longest_host_that_codes_are_bound_to() -> None:
    assert longest_host(INSTANCE) == "the-app.example.com"  # not the one without https
    unbound = replace(INSTANCE, texts=Texts(origin_line=False))
    assert longest_host(unbound) == ""


def test_every_part_can_be_changed() -> None:
    for part, rules in PARTS.items():
        filled = " ".join(f"{{{{ {name} }}}}" for name in sorted(rules.needed))
        assert said({"fr": {part: f"Mot {filled}"}}) == [], part
