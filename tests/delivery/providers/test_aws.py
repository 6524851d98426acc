"""What the services of AWS share."""

from __future__ import annotations

import pytest

from doorcode.delivery.providers.aws import COMMON, Account, endpoint
from doorcode.delivery.providers.options import BadOptions


@pytest.mark.parametrize(
    ("region", "url"),
    [
        ("us-east-1", "https://sns.us-east-1.amazonaws.com"),
        ("us-gov-west-1", "https://sns.us-gov-west-1.amazonaws.com"),
        ("cn-northwest-1", "https://sns.cn-northwest-1.amazonaws.com.cn"),
    ],
)
def test_a_service_is_found_by_its_region(region: str, url: str) -> None:
    assert endpoint("sns", region) == url


def test_another_address_may_be_set() -> None:
    assert endpoint("sns", "us-east-1", "http://10.0.0.7/sns/") == "http://10.0.0.7/sns"


@pytest.mark.parametrize("region", ["", "Frankfurt", "eu-west-1@evil.example", "eu-west-1/x", "-1"])
def test_a_region_cannot_name_another_host(region: str) -> None:
    with pytest.raises(BadOptions, match="region"):
        endpoint("sns", region)


def test_the_keys_are_not_printed() -> None:
    account = Account(region="eu-west-1", access_key_id="AKIA", secret_access_key="hidden")
    assert "hidden" not in repr(account)


def test_every_code_has_words_and_a_way_on() -> None:
    assert all(len(why) > 15 for _, why in COMMON.values())
