"""A line of the log, as an operator reads it."""

from __future__ import annotations

import io
import logging
import re
from collections.abc import Iterator

import pytest
import structlog

from doorcode.log_lines import write_log


@pytest.fixture
def stream() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = list(root.handlers), root.level
    written = io.StringIO()
    write_log(written)
    yield written
    root.handlers, root.level = handlers, level
    structlog.reset_defaults()


def test_a_line_says_when_how_bad_and_what(stream: io.StringIO) -> None:
    structlog.get_logger("doorcode").info("message_delivered", attempt=1)
    line = (
        r"timestamp='\d{4}-\d\d-\d\dT[\d:.]+Z' level='info' event='message_delivered' attempt=1\n"
    )
    assert re.fullmatch(line, stream.getvalue())


def test_what_is_not_worth_a_line_has_none(stream: io.StringIO) -> None:
    structlog.get_logger("doorcode").debug("detail")
    logging.getLogger("library").debug("detail")
    assert stream.getvalue() == ""


def test_an_exception_is_shown_without_what_it_quotes(stream: io.StringIO) -> None:
    try:
        raise ValueError("550 rejected: 123456 is your code, ann@example.com")
    except ValueError:
        structlog.get_logger("doorcode").exception("internal error", path="/v1/client")
    assert "Traceback" in stream.getvalue()
    assert "ValueError: 550 rejected:" in stream.getvalue()
    assert "123456" not in stream.getvalue()
    assert "ann@" not in stream.getvalue()


@pytest.mark.parametrize("between", ["\n", "\r\n", "\x85", "\u2028", "\x1b[2K\r"])
def test_nobody_s_value_begins_a_line_of_its_own(stream: io.StringIO, between: str) -> None:
    """A forged line would tell the operator of what never was; an escape hides one that is."""
    forged = f"/v1{between}timestamp='2026' level='info' event='signed in'"
    structlog.get_logger("doorcode").error("internal error", path=forged)
    logging.getLogger("library").warning("no such path: %s", forged)
    try:
        raise ValueError(forged)
    except ValueError:
        structlog.get_logger("doorcode").exception(forged)
    lines = stream.getvalue().splitlines()
    assert [line.partition("=")[0] for line in lines] == ["timestamp"] * 3
    assert "".join(lines).isprintable()


def test_a_library_is_held_to_the_same(stream: io.StringIO) -> None:
    try:
        raise ValueError("bad header: 654321")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("from %s: %s", "ann@example.com", "123456")
    assert "level='error'" in stream.getvalue()
    assert "ValueError: bad header" in stream.getvalue()
    assert not re.search("123456|654321|ann@", stream.getvalue())
