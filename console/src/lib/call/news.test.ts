import { describe, expect, it } from 'vitest';
import type { LiveCall } from '../live/types';
import { call as words } from '../../messages/en/call';
import { failureOf, newsOf, type Teller } from './news';

const teller: Teller = { me: 'u_mio', words, who: () => 'Olivia', name: (_, { id }) => id };
const QUIET = {
  host_leg: 'mio',
  guest_leg: null,
  muted: [],
  held: [],
  invite: null,
  last_invite: null,
  reconnecting: [],
};

function callOf(more: object = {}): LiveCall {
  return {
    id: 'c_1',
    direction: 'outbound',
    state: 'talking',
    user_id: 'u_mio',
    created_us: 1,
    ringing_us: 2,
    answered_us: 3,
    ended_us: null,
    recording_state: 'recording',
    conference: QUIET,
    legs: [
      { id: 'mio', role: 'user', user_id: null, ended_us: null, answered_us: 1 },
      { id: 'olivia', role: 'customer', user_id: null, ended_us: null, answered_us: 3 },
    ],
    participants: [
      { leg_id: 'mio', left_us: null },
      { leg_id: 'olivia', left_us: null },
    ],
    ...more,
  } as unknown as LiveCall;
}

const ringing = callOf({ state: 'dialling', answered_us: null, conference: null, participants: [] });

describe('what is said of a call', () => {
  it('is each step of a call out', () => {
    const dialled = callOf({ ...ringing, ringing_us: null });
    expect(newsOf(undefined, dialled, teller)).toEqual(['Calling Olivia.']);
    expect(newsOf(dialled, ringing, teller)).toEqual(['It rings at Olivia.']);
    expect(newsOf(ringing, callOf(), teller)).toEqual(['Connected with Olivia.']);
    expect(newsOf(callOf(), callOf({ ended_us: 9, disposition: 'answered' }), teller)).toEqual(['The call has ended.']);
  });

  it('is nothing where only the time goes on', () => {
    expect(newsOf(callOf(), callOf(), teller)).toEqual([]);
  });

  it('is who is held, muted, and no more recorded', () => {
    const held = callOf({ conference: { ...QUIET, held: [{ leg: 'olivia', by: 'u_mio' }], muted: ['mio'] } });
    expect(newsOf(callOf(), held, teller)).toEqual(['olivia is on hold.', 'You are muted.']);
    expect(newsOf(callOf(), callOf({ recording_state: 'paused' }), teller)).toEqual(['Recording paused.']);
  });

  it('is what came of an invitation', () => {
    const invite = { guest: 'u_sam', name: 'Sam', display: '', ringing: true };
    const invited = callOf({ conference: { ...QUIET, invite } });
    const over = callOf({ conference: { ...QUIET, last_invite: { ...invite, result: 'busy' } } });
    expect(newsOf(callOf(), invited, teller)).toEqual(['Sam is being invited.']);
    expect(newsOf(invited, over, teller)).toEqual(['Sam: Busy.']);
  });

  it('is nothing of the calls of others', () => {
    const theirs = callOf({ user_id: 'u_sam' });
    expect(newsOf(theirs, callOf({ user_id: 'u_sam', ended_us: 9 }), teller)).toEqual([]);
  });
});

describe('why a call out came to nothing', () => {
  it('is told in words, and by the gate’s reason where there is one', () => {
    const busy = callOf({ ...ringing, ended_us: 9, disposition: 'busy', reason: 'busy' });
    const refused = callOf({ ...ringing, ended_us: 9, disposition: 'refused', reason: 'do_not_call' });
    expect(failureOf(ringing, busy, teller)).toBe('Olivia: Busy.');
    expect(failureOf(undefined, refused, teller)).toBe('Olivia: This number is on the do-not-call list.');
  });

  it('is nothing where somebody answered, or the user hung up', () => {
    expect(failureOf(callOf(), callOf({ ended_us: 9, disposition: 'answered' }), teller)).toBeNull();
    expect(failureOf(ringing, callOf({ ...ringing, ended_us: 9, disposition: 'cancelled' }), teller)).toBeNull();
  });
});
