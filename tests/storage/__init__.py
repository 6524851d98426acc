"""Every engine runs `conformance.py`; its assertions explain themselves like any test's."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.conformance")
