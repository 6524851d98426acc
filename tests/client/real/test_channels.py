"""Codes to a phone by SMS or by WhatsApp."""

from __future__ import annotations

from ..conftest import AnyClient
from .people import done, made, new_phone_number, refused, sign_up
from .server import RealServer

SETTINGS = {"auth_phone": {"channels": ["sms", "whatsapp"]}}


async def test_sign_up_and_sign_in_by_whatsapp(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    verifications = client.sign_up.verifications
    await done(client.sign_up.create(phone_number=phone_number))
    await done(verifications.send_phone_code(channel="whatsapp"))
    assert verifications.phone_number is not None
    assert verifications.phone_number.channel == "whatsapp"
    assert real_server.messages(phone_number)[0]["channel"] == "whatsapp"
    await done(verifications.verify_phone_code(code=real_server.code(phone_number)))
    await done(client.sign_up.finalize())
    await done(client.sign_out())
    send_code = client.sign_in.phone_code.send_code
    await done(send_code(phone_number=phone_number, channel="whatsapp"))
    assert client.sign_in.supported_first_factors[0].channels == ("sms", "whatsapp")
    assert real_server.messages(phone_number)[0]["channel"] == "whatsapp"
    code = real_server.code(phone_number)
    await done(client.sign_in.phone_code.verify_code(code=code))
    await done(client.sign_in.finalize())


async def test_added_number_is_proven_by_whatsapp(
    client: AnyClient, real_server: RealServer, phone_number: str
) -> None:
    await sign_up(client, real_server, phone_number=phone_number)
    assert client.user is not None
    number = new_phone_number()
    phone = await made(client.user.create_phone_number(phone_number=number))
    await made(phone.prepare_verification(channel="whatsapp"))
    assert real_server.messages(number)[0]["channel"] == "whatsapp"
    await made(phone.attempt_verification(code=real_server.code(number)))
    assert phone.verification.status == "verified"


async def test_channel_that_does_not_exist_is_refused(client: AnyClient, phone_number: str) -> None:
    await done(client.sign_up.create(phone_number=phone_number))
    send_code = client.sign_up.verifications.send_phone_code
    code = await refused(send_code(channel="pigeon"))  # type: ignore[arg-type]
    assert code == "form_param_value_invalid"
