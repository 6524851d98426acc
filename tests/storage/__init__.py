"""Every engine runs the conformance suites; their assertions explain themselves like any test's."""

import pytest

pytest.register_assert_rewrite(f"{__name__}.conformance", f"{__name__}.conformance_accounts")
