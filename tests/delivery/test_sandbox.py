"""What an operator's template can do: be filled in, and nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from doorcode.delivery.sandbox import MOST_CHARACTERS, BadTemplate, fill, names_in

VALUES: dict[str, str | int] = {"code": "731904", "app": "Acme", "minutes": 10}

ATTACKS = [
    "{{ ''.__class__ }}",
    "{{ code.__class__.__mro__[1].__subclasses__() }}",
    "{{ code['__class__'] }}",
    "{{ code|attr('__class__') }}",
    "{{ self._TemplateReference__context }}",
    "{{ cycler.__init__.__globals__.os.popen('id').read() }}",
    "{{ lipsum() }}",
    "{{ range(10**9)|list }}",
    "{% for i in range(10**9) %}x{% endfor %}",
    "{% for i in app %}{% for j in app %}x{% endfor %}{% endfor %}",
    "{{ 'a' * 10**10 }}",
    "{{ 10 ** 10 ** 10 }}",
    "{{ app * 1000000000 }}",
    "{{ app ~ app }}",
    "{{ '%1000000000d' % 1 }}",
    "{{ '{:>1000000000}'.format(app) }}",
    "{{ app|center(1000000000) }}",
    "{{ app|safe }}",
    "{% set x = app %}{{ x }}",
    "{% macro m() %}{{ m() }}{% endmacro %}{{ m() }}",
    "{% include 'code.email.html' %}",
    "{% extends 'letter.email.html' %}",
    "{% import 'x' as x %}",
    "{% block b %}{% endblock %}",
    "{% call m() %}{% endcall %}",
    "{% filter upper %}x{% endfilter %}",
    "{% with a = 1 %}{% endwith %}",
    "{% autoescape false %}{% endautoescape %}",
    "{% do app.x() %}",
    "{% if app == 'x' %}{% endif %}",
    "{% if app is defined %}{% endif %}",
    "{{ app if app else code }}",
    "{{ [app] }}",
    "{{ 'text' }}",
    "{{ 7 }}",
    "{{ " + "(" * 900 + "app" + ")" * 900 + " }}",
    "{{ " + "not " * 480 + "app }}",
    "{{ " + "-" * 1900 + "1 }}",
    "{{ " + "[" * 1900,
    "{% if app %}" * 70 + "x" + "{% endif %}" * 70,
    "{{",
    "{% if %}",
    "{{ }}",
    "{% endif %}",
    "{{ '\\N{nothing}' }}",
    "x" * (MOST_CHARACTERS + 1),
]


@pytest.mark.parametrize("template", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_is_refused_before_it_is_compiled(template: str) -> None:
    with pytest.raises(BadTemplate):
        names_in(template, VALUES)


@pytest.mark.parametrize("template", ATTACKS, ids=range(len(ATTACKS)))
def test_an_attack_that_nobody_checked_is_refused_when_it_is_filled_in(template: str) -> None:
    with pytest.raises(BadTemplate):
        fill(template, VALUES)


def test_names_are_filled_in() -> None:
    text = "{{ code }}{% if app %} for {{app}}{% endif %}, {{ minutes }} min"
    assert names_in(text, VALUES) == {"code", "app", "minutes"}
    assert fill(text, VALUES) == "731904 for Acme, 10 min"
    assert fill(text, {**VALUES, "app": ""}) == "731904, 10 min"


def test_an_if_has_its_other_side() -> None:
    text = "{% if not app %}none{% elif app and code %}{{ app }}{% else %}?{% endif %}"
    assert fill(text, VALUES) == "Acme"
    assert fill(text, {**VALUES, "app": ""}) == "none"


def test_what_is_filled_in_is_no_template_again() -> None:
    assert fill("{{ app }}", {"app": "{{ code }}{% raw %}"}) == "{{ code }}{% raw %}"


def test_a_name_that_is_not_there_is_told_with_those_that_are() -> None:
    with pytest.raises(BadTemplate, match=r"cod is no placeholder here; there are app, code"):
        names_in("{{ cod }}", ["code", "app"])


def test_a_name_without_a_value_is_no_empty_text() -> None:
    with pytest.raises(BadTemplate, match="cannot be rendered"):
        fill("{{ code }}", {})


@settings(deadline=None)
@given(st.text(st.sampled_from("{}%# \n'\"()[]|~*+-.=abcpx01if or not end"), max_size=80))
def test_whatever_is_typed_is_a_template_or_refused(template: str) -> None:
    try:
        names_in(template, VALUES)
        text = fill(template, VALUES)
    except BadTemplate:
        return
    assert len(text) <= len(template) + template.count("{{") * 10
