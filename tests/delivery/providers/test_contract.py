"""Every provider of ours, held to what all of them promise."""

from __future__ import annotations

from .contract import *  # noqa: F403
