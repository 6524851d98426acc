"""Templates that an operator writes, and what keeps them from doing anything but that.

Jinja's sandbox keeps a template from reaching into Python; it does not keep it from running
for an hour or filling the memory: `{{ 'a' * 10**10 }}` is computed while it is compiled. So
only what a text needs gets as far as the compiler: words, names to fill in, and `if` on a
name. There are no loops, sums, calls, filters or attributes, and nothing grows.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from functools import lru_cache

import jinja2
from jinja2 import nodes
from jinja2.sandbox import ImmutableSandboxedEnvironment

MOST_CHARACTERS = 2_000
DEEPEST = 20  # an `if` in an `if`, and so on: the compiler is recursive

_ALLOWED = (
    nodes.Template,
    nodes.Output,
    nodes.TemplateData,
    nodes.Name,
    nodes.If,
    nodes.Not,
    nodes.And,
    nodes.Or,
)
_environment = ImmutableSandboxedEnvironment(undefined=jinja2.StrictUndefined)


class BadTemplate(ValueError):
    """The template is none, or holds more than it may."""


def names_in(template: str, allowed: Collection[str]) -> frozenset[str]:
    """What a template asks to be filled in, or `BadTemplate` with what is wrong with it."""
    found = _parsed(template)
    unknown = sorted(found - set(allowed))
    if unknown:
        known = ", ".join(sorted(allowed)) or "none"
        raise BadTemplate(f"{unknown[0]} is no placeholder here; there are {known}")
    return found


def fill(template: str, values: Mapping[str, str | int]) -> str:
    """The template with its names filled in, or `BadTemplate`."""
    try:
        return _compiled(template).render(values)
    except jinja2.TemplateError as error:
        raise BadTemplate(f"cannot be rendered: {error}") from None


@lru_cache(maxsize=2048)
def _compiled(template: str) -> jinja2.Template:
    _parsed(template)  # whoever asks: nothing else is ever compiled
    return _environment.from_string(template)


def _parsed(template: str) -> frozenset[str]:
    if len(template) > MOST_CHARACTERS:
        raise BadTemplate(f"is longer than {MOST_CHARACTERS} characters")
    try:
        tree = _environment.parse(template)
    except jinja2.TemplateSyntaxError as error:
        raise BadTemplate(f"cannot be read: {error.message}") from None
    except (RecursionError, ValueError, MemoryError):
        raise BadTemplate("cannot be read: it is too deeply nested") from None
    names = set()
    for node, depth in _walk(tree):
        if depth > DEEPEST:
            raise BadTemplate("is too deeply nested")
        if not isinstance(node, _ALLOWED):
            kind = type(node).__name__
            raise BadTemplate(f"holds more than placeholders and if (a Jinja {kind})")
        if isinstance(node, nodes.Name):
            names.add(node.name)
    return frozenset(names)


def _walk(tree: nodes.Node) -> Iterator[tuple[nodes.Node, int]]:
    """Every node and how deep it lies, without recursion."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]
