"""Why a check, or one row of it, comes to no verdict."""

from __future__ import annotations


class CannotRun(Exception):
    """The check is not possible on this deployment; the text is a sentence for its operator."""


class Stopped(Exception):
    """One row came to no verdict: the server answered something that no promise is about."""
