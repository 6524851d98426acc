"""The lines of the log: one an event, and nothing in them that lets anybody in."""

from __future__ import annotations

import logging
from typing import TextIO

import structlog
from structlog.typing import Processor

from doorcode.security.redaction import redact_event


def write_log(stream: TextIO, level: int = logging.INFO) -> None:
    """Write what is logged there, by us and by the libraries alike."""
    line: list[Processor] = [
        structlog.processors.format_exc_info,
        redact_event,  # before the time is added, which reads like a code
        structlog.processors.add_log_level,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.processors.KeyValueRenderer(key_order=["timestamp", "level", "event"]),
    ]
    structlog.configure(
        processors=line,
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(stream),
    )
    handler = logging.StreamHandler(stream)
    without_meta = structlog.stdlib.ProcessorFormatter.remove_processors_meta
    handler.setFormatter(structlog.stdlib.ProcessorFormatter(processors=[without_meta, *line]))
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level)
