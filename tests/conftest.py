"""How hard the property tests search, and a log that is after a test what it was before."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import settings

settings.register_profile("quick", deadline=None)
settings.register_profile("thorough", deadline=None, max_examples=1_000)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))


@pytest.fixture(autouse=True)
def log_as_before() -> Iterator[None]:
    """Commands and servers set up the log of their process; here they share it with the tests."""
    before = {name: _state(logger) for name, logger in _loggers().items()}
    configured = structlog.get_config() if structlog.is_configured() else None
    yield
    for name, logger in _loggers().items():
        if name in before and _state(logger) != before[name]:
            handlers, logger.propagate, logger.disabled, level = before[name]
            logger.handlers = list(handlers)
            logger.setLevel(level)
        elif name not in before:
            logger.propagate, logger.disabled = True, False
    if configured:
        structlog.configure(**configured)
    else:
        structlog.reset_defaults()


def _loggers() -> dict[str, logging.Logger]:
    named = logging.root.manager.loggerDict.items()
    kept = {name: logger for name, logger in named if isinstance(logger, logging.Logger)}
    return {"": logging.root, **kept}


def _state(logger: logging.Logger) -> tuple[tuple[logging.Handler, ...], bool, bool, int]:
    return tuple(logger.handlers), logger.propagate, logger.disabled, logger.level
