"""Results, and problems laid beside the fields of a form."""

from __future__ import annotations

import pytest

from doorcode.client.errors import NetworkError, Problem
from doorcode.client.results import Result, SignInFieldErrors, SignUpFieldErrors, sort_problems

CODE = Problem("form_code_incorrect", "is incorrect", param_name="code")
PHONE = Problem("form_param_missing", "is missing", param_name="phone_number")
LIMIT = Problem("too_many_requests", "too many")


def test_result_without_error_is_ok() -> None:
    assert Result().ok
    Result().raise_for_error()


def test_result_with_error_raises_it_on_demand() -> None:
    result = Result(NetworkError("refused"))
    assert not result.ok
    with pytest.raises(NetworkError):
        result.raise_for_error()


def test_problem_goes_beside_its_field() -> None:
    errors = sort_problems((CODE, PHONE), SignUpFieldErrors)
    assert errors.fields == SignUpFieldErrors(code=CODE, phone_number=PHONE)
    assert errors.global_ == ()
    assert errors.raw == (CODE, PHONE)


def test_problem_of_no_field_is_global() -> None:
    errors = sort_problems((CODE, LIMIT), SignInFieldErrors)
    assert errors.fields == SignInFieldErrors(code=CODE)
    assert errors.global_ == (LIMIT,)


def test_problem_of_an_unknown_field_is_not_lost() -> None:
    assert sort_problems((PHONE,), SignInFieldErrors).global_ == (PHONE,)


def test_first_problem_of_a_field_wins() -> None:
    later = Problem("other", "is other", param_name="code")
    assert sort_problems((CODE, later), SignInFieldErrors).fields.code is CODE
