import { describe, expect, it } from 'vitest';
import {
  callsLeft,
  activeCalls,
  colleagueOf,
  heldBy,
  mayOf,
  partOf,
  ringingCalls,
  ringsUntil,
  roleOf,
  stateOf,
  recordingOf,
  type Leg,
} from './calls';
import type { LiveCall } from './live/types';

const [MIO, SAM] = ['u_mio', 'u_sam'];

function leg(id: string, role: string, more: Partial<Leg> = {}): Leg {
  const empty = { user_id: null, device_id: null, ended_us: null, answered_us: null, created_us: 1_000_000 };
  return { id, role, ...empty, ...more } as Leg;
}

/** A call to Mio that rings, with what is said otherwise. */
function callOf(more: Partial<LiveCall> = {}): LiveCall {
  return {
    id: 'c_1',
    direction: 'inbound',
    state: 'ringing',
    user_id: MIO,
    created_us: 1_000_000,
    answered_us: null,
    ringing_us: 1_000_000,
    ended_us: null,
    recording_state: null,
    conference: null,
    legs: [leg('l_customer', 'customer', { answered_us: 1 }), leg('l_mio', 'user')],
    participants: [],
    ...more,
  } as LiveCall;
}

const QUIET = {
  host_leg: 'l_mio',
  guest_leg: null,
  muted: [],
  held: [],
  invite: null,
  last_invite: null,
  unattended: false,
  reconnecting: [],
};

function talking(more: Partial<LiveCall> = {}): LiveCall {
  const legs = more.legs ?? [
    leg('l_customer', 'customer', { answered_us: 1 }),
    leg('l_mio', 'user', { answered_us: 2 }),
  ];
  const participants = legs.map(({ id }) => ({ leg_id: id, left_us: null })) as LiveCall['participants'];
  return callOf({ state: 'talking', answered_us: 2, conference: QUIET, participants, ...more, legs });
}

const three = (conference: Partial<NonNullable<LiveCall['conference']>> = {}): LiveCall =>
  talking({
    legs: [
      leg('l_customer', 'customer', { answered_us: 1 }),
      leg('l_mio', 'user', { answered_us: 2 }),
      leg('l_sam', 'guest', { answered_us: 3, user_id: SAM }),
    ],
    conference: { ...QUIET, guest_leg: 'l_sam', ...conference },
  });

describe('a call that goes on without somebody', () => {
  const participants = [
    { leg_id: 'l_customer', user_id: null, left_us: null },
    { leg_id: 'l_mio', user_id: MIO, left_us: 9 },
    { leg_id: 'l_sam', user_id: SAM, left_us: null },
  ] as LiveCall['participants'];
  const legs = [
    leg('l_customer', 'customer', { answered_us: 1 }),
    leg('l_mio', 'user', { answered_us: 2, ended_us: 9 }),
    leg('l_sam', 'guest', { answered_us: 3, user_id: SAM }),
  ];
  const call = talking({ legs, participants });

  it('is left by whoever has talked and is gone', () => {
    expect(callsLeft([call], MIO)).toEqual([call]);
    expect(callsLeft([call], SAM)).toEqual([]);
    expect(callsLeft([{ ...call, ended_us: 10 }], MIO)).toEqual([]);
  });

  it('is not left by whom it waits for', () => {
    const reconnecting = [{ leg: 'l_mio', user_id: MIO, since_us: 9, until_us: 99 }];
    expect(callsLeft([talking({ legs, participants, conference: { ...QUIET, reconnecting } })], MIO)).toEqual([]);
  });
});

describe('the part of a user in a call', () => {
  it('rings for whose call it is, and for nobody else', () => {
    expect(partOf(callOf(), MIO)).toBe('ringing');
    expect(partOf(callOf(), SAM)).toBeNull();
    expect(ringingCalls([callOf()], MIO)).toHaveLength(1);
  });

  it('rings no more while the forwarding number does', () => {
    const legs = [leg('l_customer', 'customer', { answered_us: 1 }), leg('l_forward', 'forward')];
    expect(partOf(callOf({ state: 'forwarding', legs }), MIO)).toBeNull();
  });

  it('is a call of a user from the first moment', () => {
    const legs = [leg('l_mio', 'user', { answered_us: 1 })];
    const call = callOf({ direction: 'outbound', state: 'dialling', legs, ringing_us: null });
    expect(partOf(call, MIO)).toBe('starting');
    expect(stateOf(call, MIO)).toBe('dialling');
    expect(activeCalls([call], MIO)).toEqual([call]);
  });

  it('is over when the call is', () => {
    expect(partOf(talking({ ended_us: 5 }), MIO)).toBeNull();
  });

  it('is a guest who is asked, then one who talks', () => {
    const asked = talking({ legs: [...talking().legs, leg('l_sam', 'guest', { user_id: SAM })] });
    expect(partOf(asked, SAM)).toBe('invited');
    expect(partOf(three(), SAM)).toBe('talking');
  });

  it('waits for a user whose page was lost, with the role they had', () => {
    const lost = { leg: 'l_mio', user_id: MIO, since_us: 1, until_us: 9 };
    const legs = [leg('l_customer', 'customer', { answered_us: 1 }), leg('l_mio', 'user', { ended_us: 4 })];
    const call = talking({ legs, conference: { ...QUIET, reconnecting: [lost] } });
    expect(partOf(call, MIO)).toBe('returning');
    expect(stateOf(call, MIO)).toBe('returning');
    expect(roleOf(call, MIO)).toBe('host');
    expect(mayOf(call, MIO)).toMatchObject({ end: true, control: false, invite: false });
  });

  it('names the colleague of a call inside, from both ends', () => {
    const legs = [leg('l_sam', 'customer', { answered_us: 1, user_id: SAM }), leg('l_mio', 'user')];
    const call = callOf({ direction: 'internal', legs });
    expect(colleagueOf(call, MIO)).toBe(SAM);
    expect(colleagueOf(call, SAM)).toBe(MIO);
    expect(partOf(call, SAM)).toBe('starting');
    expect(partOf(call, MIO)).toBe('ringing');
  });
});

describe('what a user may do (C11)', () => {
  it('lets the host of two hold, invite and end', () => {
    expect(mayOf(talking(), MIO)).toMatchObject({ control: true, invite: true, end: true, leave: false });
  });

  it('lets a guest leave and nothing else', () => {
    expect(roleOf(three(), SAM)).toBe('guest');
    expect(mayOf(three(), SAM)).toEqual({
      control: false,
      invite: false,
      cancelInvite: false,
      leave: true,
      end: false,
      record: false,
    });
  });

  it('lets the host of three leave or end for all, and invite nobody more (C2)', () => {
    expect(mayOf(three(), MIO)).toMatchObject({ control: true, invite: false, leave: true, end: true });
  });

  it('lets the host cancel what rings, and invite nobody meanwhile', () => {
    const invite = { guest_kind: 'user', guest: SAM, name: 'Sam', ringing: true } as never;
    const call = talking({ conference: { ...QUIET, invite } });
    expect(mayOf(call, MIO)).toMatchObject({ invite: false, cancelInvite: true });
  });

  it('makes the guest host when the host has left (C9)', () => {
    const call = three({ host_leg: 'l_sam', guest_leg: null });
    const after = { ...call, legs: call.legs.map((each) => (each.id === 'l_mio' ? { ...each, ended_us: 9 } : each)) };
    expect(roleOf(after, SAM)).toBe('host');
    expect(mayOf(after, SAM)).toMatchObject({ control: true, invite: true, end: true, leave: false });
    expect(partOf(after, MIO)).toBeNull();
  });
});

describe('how a call stands', () => {
  it('tells who holds whom', () => {
    const call = talking({ conference: { ...QUIET, held: [{ leg: 'l_customer', by: MIO }] } });
    expect(heldBy(call, call.legs[0] ?? null)).toBe(MIO);
    expect(stateOf(call, MIO)).toBe('on_hold');
    expect(stateOf(three({ held: [{ leg: 'l_sam', by: MIO }] }), SAM)).toBe('held');
  });

  it('rings for as long as the user set, from the first ring on', () => {
    expect(ringsUntil(callOf(), MIO, 25)).toBe(26_000_000);
  });

  it('says whether it is recorded', () => {
    expect(recordingOf(callOf())).toBe('off');
    expect(recordingOf(callOf({ recording_state: 'paused' }))).toBe('paused');
    expect(recordingOf(callOf({ recording_state: 'not_started' }))).toBe('failed');
  });
});
