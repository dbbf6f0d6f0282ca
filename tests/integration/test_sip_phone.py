"""The test phone is tested against itself: two of them, wire to wire, no server between."""

from __future__ import annotations

import struct
import time
from collections.abc import AsyncIterator

import numpy as np
import pytest

from tests.support import g711
from tests.support.sip_call import CallState
from tests.support.sip_digest import Challenge, authorization
from tests.support.sip_message import Address, SipMessage, split_stream
from tests.support.sip_phone import SipPhone
from tests.support.srtp import SrtpStream, new_key
from tests.support.tones import make_tone
from tests.support.waiting import Missed


@pytest.fixture
async def phones() -> AsyncIterator[tuple[SipPhone, SipPhone]]:
    bob = await SipPhone.start(user="bob", server=("127.0.0.1", 9), tone=620)
    alice = await SipPhone.start(user="alice", server=bob.address, tone=440)
    yield alice, bob
    await alice.stop()
    await bob.stop()


async def test_two_phones_call_and_hear_each_other(phones):
    alice, bob = phones
    call = await alice.call("bob", name="Alice A.")
    ring = await bob.incoming()
    await call.until_ringing()
    assert (ring.called_number, ring.caller_number, ring.caller.name) == ("bob", "alice", "Alice A.")
    await ring.answer()
    await call.until_answered()
    await call.until_hears(620)
    await ring.until_hears(440)
    assert not ring.hears(620)
    await call.hang_up()
    await ring.until_ended()
    assert not ring.ended_by_us and call.final_status == 200


async def test_a_call_given_up_while_ringing_is_cancelled(phones):
    alice, bob = phones
    call = await alice.call("bob")
    ring = await bob.incoming()
    await call.cancel(headers=[("Reason", 'SIP;cause=200;text="Call completed elsewhere"')])
    assert call.final_status == 487
    assert ring.state is CallState.ENDED and "completed elsewhere" in (ring.reason_header or "")
    assert (ring.at.ended or 0) - (call.at.ended or 0) < 0.1


async def test_a_refusal_shows_its_status_and_reason(phones):
    alice, bob = phones
    bob.will_reject(486, after=0.05)
    call = await alice.call("bob")
    await call.until_ended()
    assert call.final_status == 486
    with pytest.raises(Missed, match="486"):
        await call.until_answered()


async def test_early_media_is_heard_before_the_answer(phones):
    alice, bob = phones
    bob.will_send_early_media(answer_after=1.0)
    call = await alice.call("bob")
    await call.until_early_media()
    await call.until_hears(620, within=0.9)
    assert call.at.answered is None
    await call.until_answered()


async def test_a_phone_on_hold_is_silent_and_returns_with_new_rtp_numbers(phones):
    alice, bob = phones
    bob.will_answer()
    call = await alice.call("bob")
    await call.until_answered()
    ring = bob.current
    await ring.until_hears(440)
    await call.hold()
    assert ring.held_by_peer
    await ring.until_stops_hearing(440)
    await call.resume()
    await ring.until_hears(440)
    assert len(ring.ear.sources) == 2


async def test_digits_arrive_by_rtp_and_by_info(phones):
    alice, bob = phones
    bob.will_answer()
    call = await alice.call("bob")
    await call.until_answered()
    await call.press("19*#")
    await call.press("5", how="info")
    await bob.current.until_digits("19*#5")
    assert {digit.how for digit in bob.current.digits_heard} == {"rfc4733", "info"}


async def test_a_dead_phone_gives_no_answer_at_all(phones):
    alice, bob = phones
    bob.will_ignore()
    call = await alice.call("bob")
    await bob.incoming()
    with pytest.raises(Missed, match="180 Ringing"):
        await call.until_ringing(within=0.3)
    assert not bob.trace.sent("INVITE", 100)


async def test_texts_and_registrations_reach_a_trunk_peer(phones):
    alice, bob = phones
    assert (await alice.text("bob", "hello 👋")).status == 200
    assert bob.messages[0].body.decode() == "hello 👋"
    assert (await alice.try_register()).status == 200
    bob.register_status = 403
    assert (await alice.try_register()).status == 403


async def test_hostile_text_goes_out_as_it_is(phones):
    alice, bob = phones
    hostile = "sip:8102%40internal&Local/600@127.0.0.1"
    await alice.call("x", request_uri=hostile, to='"<>" <sip:a;b&c@x>', from_='"\\" <sip:${SHELL(id)}@x>')
    ring = await bob.incoming()
    assert ring.invite.uri == hostile and "${SHELL(id)}" in (ring.header("From") or "")


async def test_a_cancel_on_the_heels_of_the_invite_is_not_lost(phones):
    alice, bob = phones
    call = await alice.call("bob")
    await call.until_ringing()
    again = alice.trace.sent("INVITE")[0].message
    assert again is not None
    other = again.with_header("Call-ID", "quick").with_header("Via", alice.via("z9hG4bKquick"))
    cancel = SipMessage(other.start.replace("INVITE", "CANCEL"), other.with_header("CSeq", "1 CANCEL").headers)
    alice.send_raw(other.encode())
    alice.send_raw(cancel.encode())
    await bob.incoming()
    ring = await bob.incoming()
    await ring.until_ended()
    assert ring.final_status == 487 and bob.trace.sent("CANCEL", 200)


async def test_srtp_with_keys_in_sdp_is_heard_and_not_by_a_phone_without(phones):
    _, bob = phones
    carol = await SipPhone.start(user="carol", server=bob.address, tone=860, srtp=True)
    bob.srtp = True
    bob.will_answer()
    call = await carol.call("bob")
    await call.until_answered()
    await call.until_hears(620)
    ring = bob.current
    await ring.until_hears(860)
    await call.hold()
    await call.resume()
    await ring.until_hears(860)
    assert ring.rtp.unseal.forged == 0 and "RTP/SAVP" in ring.offers[0].sdp.text
    ring.rtp.unseal = None
    await ring.until_stops_hearing(860)
    await carol.stop()


async def test_an_answer_whose_ack_is_lost_is_repeated(phones):
    alice, bob = phones
    call = await alice.call("bob")
    ring = await bob.incoming()
    wire, lost = alice.wire.send, []
    alice.wire.send = lambda data, peer: lost.append(data) if not lost else wire(data, peer)
    started = time.monotonic()
    await ring.answer()
    assert 0.4 < time.monotonic() - started < 1.5 and lost[0].startswith(b"ACK")
    await call.until_answered()


def test_digest_gives_the_answer_of_the_rfc(monkeypatch):
    monkeypatch.setattr("tests.support.sip_digest.token", lambda: "0a4f113b")
    challenge = Challenge.parse(
        'Digest realm="testrealm@host.com", qop="auth,auth-int", '
        'nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093", opaque="5ccc069c403ebaf9f0171e9517f40e41"'
    )
    value = authorization(challenge, "Mufasa", "Circle Of Life", "GET", "/dir/index.html")
    assert 'response="6629fae49393a05397450978507c4ef1"' in value


def test_srtp_seals_as_the_rfc_says():
    """Session keys of RFC 3711, appendix B.3."""
    master = bytes.fromhex("E1F97A0D3E018BE0D64FA32C06DE4139") + bytes.fromhex("0EC675AD498AFEEBB6960B3AABE6")
    stream = SrtpStream(master)
    assert stream._cipher_key.hex().upper() == "C61E7A93744F39EE10734AFE3FF7A087"
    assert stream._tag_key.hex().upper() == "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4"


def test_srtp_follows_a_sequence_number_that_comes_round():
    key = new_key()
    sender, receiver = SrtpStream(key), SrtpStream(key)
    for number in [65534, 65535, 0, 2, 1, 3]:
        packet = struct.pack("!BBHII", 0x80, 0, number, 1, 7) + b"sound"
        assert receiver.unprotect(sender.protect(packet)) == packet
    assert receiver.unprotect(bytes(30)) is None and receiver.forged == 1


def test_messages_are_read_with_compact_and_folded_headers():
    raw = b"INVITE sip:a@b SIP/2.0\r\nv: SIP/2.0/UDP h;branch=z9hG4bKx\r\nf: A\r\n <sip:a@b>;tag=1\r\ni: 5\r\n\r\nbody"
    message = SipMessage.parse(raw)
    assert (message.branch, message.from_tag, message.call_id, message.body) == ("z9hG4bKx", "1", "5", b"body")
    assert Address.parse('"Q \\"x\\"" <sip:+1@h;user=phone>;tag=2').name == 'Q "x"'


def test_a_stream_is_cut_by_content_length():
    one = SipMessage("OPTIONS sip:a SIP/2.0", [("Call-ID", "1")], b"hello").encode()
    messages, rest = split_stream(one + b"\r\n\r\n" + one + one[:20])
    assert len(messages) == 2 and rest == one[:20]


@pytest.mark.parametrize("codec", ["PCMU", "PCMA"])
def test_g711_returns_what_went_in(codec):
    sound = make_tone(440, 0.1)
    assert np.max(np.abs(g711.decode(g711.encode(sound, codec), codec) - sound)) < 0.012
    assert g711.encode(np.zeros(2), codec) == {"PCMU": b"\xff\xff", "PCMA": b"\xd5\xd5"}[codec]
