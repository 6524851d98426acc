"""The tree of errors is the one drawn at the top of its file."""

from __future__ import annotations

import inspect
import re

from doorcode.client import errors
from doorcode.client.errors import (
    ApiError,
    DoorcodeError,
    NetworkError,
    Problem,
    StateError,
    TokenError,
)


def drawn_tree() -> dict[str, str]:
    """Return each class of the drawing with its parent."""
    parents: dict[str, str] = {}
    branch: list[str] = []
    for line in inspect.getdoc(errors).splitlines():  # type: ignore[union-attr]
        found = re.match(r"([│├└─ ]*)(\w+Error)\b", line)
        if found:
            depth = len(found[1]) // 4
            branch[depth:] = [found[2]]
            if depth:
                parents[found[2]] = branch[depth - 1]
    return parents


def test_the_drawing_shows_every_class_under_its_parent() -> None:
    classes = [each for _, each in inspect.getmembers(errors, inspect.isclass)]
    written = {
        each.__name__: each.__base__.__name__
        for each in classes
        if issubclass(each, DoorcodeError) and each is not DoorcodeError and each.__base__
    }
    assert drawn_tree() == written


def test_the_drawing_shows_the_code_of_every_token_error() -> None:
    kinds: list[type[TokenError]] = TokenError.__subclasses__()
    for kind in kinds:
        assert re.search(rf"{kind.__name__} +{kind.code}$", errors.__doc__ or "", re.MULTILINE)


def test_every_token_error_has_its_own_code() -> None:
    kinds: list[type[TokenError]] = [TokenError, *TokenError.__subclasses__()]
    assert len({kind.code for kind in kinds}) == len(kinds)


def test_call_error_speaks_for_its_problems() -> None:
    first = Problem("form_code_incorrect", "is incorrect", "Incorrect code", "code")
    error = ApiError(first, Problem("other", "is other"), status=422, trace_id="t")
    assert (error.code, error.status, error.trace_id) == ("form_code_incorrect", 422, "t")
    assert str(error) == "Incorrect code; is other"


def test_local_errors_have_a_code_and_a_sentence() -> None:
    assert NetworkError("refused").code == "network_error"
    assert str(NetworkError("refused")) == "The server could not be reached: refused"
    assert StateError("factor_not_found", "None.").problems[0].text == "None."
