"""What a client knows, answer by answer."""

from __future__ import annotations

import time

import pytest

from doorcode.client.errors import NetworkError
from doorcode.client.flow import SyncDriver
from doorcode.client.record import ClientRecord
from doorcode.client.resources import SignUpAttempt, Token
from doorcode.client.session import Session
from doorcode.client.state import ClientState, Slot

from .fake_server import unsigned_jwt

LIVE = SignUpAttempt(id="sua_1")
DONE = SignUpAttempt(id="sua_1", status="complete", created_session_id="sess_1")
SESSION: Session[SyncDriver] = Session(id="sess_1", status="active")


@pytest.fixture
def state() -> ClientState[SyncDriver]:
    return ClientState(time.time)


@pytest.fixture
def slot() -> Slot[SignUpAttempt]:
    return Slot(SignUpAttempt())


def test_empty_slot_stays_empty(slot: Slot[SignUpAttempt]) -> None:
    slot.receive(None)
    assert slot.attempt.id is None
    assert slot.ended is None


def test_live_attempt_lost_at_the_server_is_given_up(slot: Slot[SignUpAttempt]) -> None:
    slot.receive(LIVE)
    slot.receive(None)
    assert slot.attempt.id is None
    assert slot.ended is not None
    assert slot.ended.code == "attempt_not_found"


def test_finished_attempt_outlives_the_server(slot: Slot[SignUpAttempt]) -> None:
    slot.receive(DONE)
    slot.receive(None)
    assert slot.attempt is DONE


def test_new_attempt_replaces_any_other(slot: Slot[SignUpAttempt]) -> None:
    slot.receive(DONE)
    slot.receive(LIVE)
    assert slot.attempt is LIVE
    slot.end(NetworkError("x"))
    slot.receive(LIVE)
    assert slot.ended is None


def test_cleared_slot_has_no_reason(slot: Slot[SignUpAttempt]) -> None:
    slot.end(NetworkError("x"))
    slot.clear()
    assert slot.ended is None


def test_load_takes_the_last_active_session(state: ClientState[SyncDriver]) -> None:
    state.load(ClientRecord(sessions=(SESSION,), last_active_session_id="sess_1"))
    assert state.is_loaded
    assert state.session is SESSION


def test_load_keeps_the_session_that_was_chosen(state: ClientState[SyncDriver]) -> None:
    other: Session[SyncDriver] = Session(id="sess_2", status="active")
    state.load(ClientRecord(sessions=(SESSION, other), last_active_session_id="sess_1"))
    state.load(ClientRecord(sessions=(SESSION, other), last_active_session_id="sess_2"))
    assert state.session is SESSION


def test_answers_do_not_activate_a_session(state: ClientState[SyncDriver]) -> None:
    state.receive(ClientRecord(sessions=(SESSION,), last_active_session_id="sess_1"))
    assert state.session is None
    state.activate("sess_1")
    assert state.session is SESSION


def test_session_gone_from_the_client_is_signed_out(state: ClientState[SyncDriver]) -> None:
    state.load(ClientRecord(sessions=(SESSION,), last_active_session_id="sess_1"))
    state.receive(ClientRecord())
    state.receive(ClientRecord(sessions=(SESSION,)))
    assert state.session is None


@pytest.mark.parametrize("status", ["ended", "removed", "revoked", "expired", "abandoned"])
def test_session_that_is_over_does_not_count(state: ClientState[SyncDriver], status: str) -> None:
    session: Session[SyncDriver] = Session(id="sess_1", status=status)
    state.load(ClientRecord(sessions=(session,), last_active_session_id="sess_1"))
    assert state.session is None


def test_waiting_session_is_in_force(state: ClientState[SyncDriver]) -> None:
    session: Session[SyncDriver] = Session(id="sess_1", status="pending")
    state.load(ClientRecord(sessions=(session,), last_active_session_id="sess_1"))
    assert state.session is session


def test_no_session_is_active_where_none_is_wanted(state: ClientState[SyncDriver]) -> None:
    state.load(ClientRecord(sessions=(SESSION,), last_active_session_id="sess_1"))
    state.activate(None)
    assert state.session is None
    assert state.sessions == (SESSION,)


def test_token_that_rides_along_is_kept(state: ClientState[SyncDriver]) -> None:
    jwt = unsigned_jwt(iat=time.time(), exp=time.time() + 60)
    session: Session[SyncDriver] = Session(
        id="sess_1", status="active", last_active_token=Token(jwt=jwt)
    )
    state.receive(ClientRecord(sessions=(session,)))
    assert state.tokens.get("sess_1") == jwt
    state.receive(ClientRecord())
    assert state.tokens.get("sess_1") is None


def test_sign_out_forgets_even_a_finished_attempt(state: ClientState[SyncDriver]) -> None:
    state.receive(ClientRecord(sign_up=DONE, sessions=(SESSION,)))
    state.activate("sess_1")
    state.sign_out()
    assert state.session is None
    assert state.sign_up.attempt.id is None
