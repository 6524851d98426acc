"""Every engine runs the conformance suites; their assertions explain themselves like any test's."""

import pytest

SUITES = ("conformance", "conformance_accounts", "conformance_limits", "conformance_tickets")
pytest.register_assert_rewrite(*(f"{__name__}.{suite}" for suite in SUITES))
