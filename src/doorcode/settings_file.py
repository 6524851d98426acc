"""The file of settings (TOML): read at the start, and looked at while the server runs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from doorcode.domain.instance_settings import Problem, Reading, read_toml

MOST_BYTES = 1024 * 1024
_Mark = tuple[int, int, int]  # when it was written, its size, its inode


class CannotRead(Exception):
    """The file cannot be read; the text says which and why."""


@dataclass(slots=True)
class SettingsFile:
    """A file that may be changed at any time. One that was named must be there."""

    path: Path
    required: bool = False
    _text: str | None = None
    _read_at: _Mark | None = None
    _seen_at: _Mark | None = None

    def read(self) -> str | None:
        """Its text now; None where there is none and none is needed. Else `CannotRead`.

        What cannot be read leaves the former text as it was.
        """
        self._seen_at = self._read_at = self._mark()
        if self._read_at is None:
            if self.required:
                raise CannotRead(f"{self.path} does not exist: make it, or name another file.")
            self._text = None
            return None
        if self._read_at[1] > MOST_BYTES:
            raise CannotRead(f"{self.path} is longer than {MOST_BYTES} bytes.")
        try:
            self._text = self.path.read_text("utf-8")
        except (OSError, ValueError) as error:
            raise CannotRead(f"{self.path} cannot be read: {error}.") from error
        return self._text

    def read_settled(self) -> str | None:
        """Its text, once it is the same at two looks in a row; until then its former text.

        An editor may empty a file and write it anew. The half of a TOML file is valid
        TOML: applied, it would switch a blocklist off that stands further down.
        """
        mark = self._mark()
        settled = mark == self._seen_at
        self._seen_at = mark
        if settled and mark != self._read_at:
            return self.read()
        return self._text

    def _mark(self) -> _Mark | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise CannotRead(f"{self.path} cannot be read: {error.strerror}.") from error
        return found.st_mtime_ns, found.st_size, found.st_ino


def reading_of(text: str | None, path: Path) -> Reading:
    """What the text of a settings file sets; problems name the file."""
    if text is None:
        return Reading({})
    reading = read_toml(text)
    said = tuple(Problem(one.keys, f"{path}: {one.text}") for one in reading.problems)
    return Reading(reading.values, said)
