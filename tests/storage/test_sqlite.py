from collections.abc import AsyncIterator
from pathlib import Path
import pytest
from doorcode.storage.sqlite import Sqlite
from .conformance import *  # noqa: F403
@pytest.fixture
async def storage(tmp_path: Path) -> AsyncIterator[Sqlite]:
    sqlite = Sqlite(tmp_path / "doorcode.db")
    yield sqlite
    await sqlite.close()
