/** Calls as the engine tells of them, in every state that a card, the bar and the panel show: nobody is on the line. */
import type { Match } from '../../lib/calls';
import type { LiveCall } from '../../lib/live/types';

type Leg = LiveCall['legs'][number];
type Conference = NonNullable<LiveCall['conference']>;

const NUMBER = { customer_number: '+12065550142', customer_display: '(206) 555-0142', did_display: '(415) 555-0100' };

function leg(id: string, role: string, at: number, more: Partial<Leg> = {}): Leg {
  return { id, role, user_id: null, device_id: null, created_us: at, answered_us: at, ended_us: null, ...more } as Leg;
}

function call(id: string, me: string, at: number, more: Partial<LiveCall>): LiveCall {
  const legs = more.legs ?? [leg('l_1', 'customer', at), leg('l_2', 'user', at, { user_id: me })];
  const empty = { ended_us: null, record_id: null, recording_state: null, conference: null, matches: [], reason: null };
  const participants = legs.map(({ id: leg_id, user_id }) => ({ leg_id, user_id, joined_us: at, left_us: null }));
  const own = { id: `design_${id}`, direction: 'inbound', state: 'talking', user_id: me, created_us: at };
  const times = { answered_us: at, ringing_us: at };
  return { ...NUMBER, ...empty, ...own, ...times, ...more, legs, participants } as unknown as LiveCall;
}

const QUIET: Conference = {
  ...{ host_leg: 'l_2', guest_leg: null, muted: [], held: [], invite: null, last_invite: null, unattended: false },
  reconnecting: [],
} as unknown as Conference;

const INVITE = { guest: '+12065550143', guest_kind: 'number', name: '', display: '(206) 555-0143' };

function match(id: string, name: string, at: number, more: object = {}): Match {
  return {
    id,
    type: 'contact',
    name,
    company_name: 'Donaudampfschifffahrt GmbH',
    deal: null,
    last_note: null,
    ...more,
    at,
  } as unknown as Match;
}

export function ringing(me: string, at: number, name: string, sentence: string): LiveCall[] {
  const more = { deal: { id: 'd', name: sentence }, last_note: { text: sentence.repeat(3), created_us: at } };
  const legs = [leg('l_1', 'customer', at), leg('l_2', 'user', at, { user_id: me, answered_us: null })];
  const rings = { state: 'ringing', answered_us: null, legs } as unknown as Partial<LiveCall>;
  const guest = leg('l_3', 'guest', at, { user_id: me, answered_us: null });
  const asked = [leg('l_1', 'customer', at), leg('l_2', 'user', at), guest];
  const conference = { ...QUIET, invite: { ...INVITE, since_us: at } } as unknown as Conference;
  return [
    call('known', me, at, { ...rings, matches: [match('r', name, at, more)] as LiveCall['matches'] }),
    call('unknown', me, at, rings),
    call('several', me, at, {
      ...rings,
      matches: ['r1', 'r2'].map((id) => match(id, name, at)) as LiveCall['matches'],
    }),
    call('invited', me, at, { user_id: null, conference, legs: asked }),
  ];
}

/** What the bar says of it, each another state. */
export function running(me: string, at: number, name: string): LiveCall[] {
  const matches = [match('r', name, at)] as LiveCall['matches'];
  const waits = { answered_us: null, direction: 'outbound' } as Partial<LiveCall>;
  const held = { ...QUIET, held: [{ leg: 'l_1', by: me }] } as unknown as Conference;
  return [
    call('dialling', me, at, { ...waits, ringing_us: null, state: 'dialling' as LiveCall['state'] }),
    call('rings', me, at, { ...waits, matches, state: 'ringing' as LiveCall['state'] }),
    call('talks', me, at, { matches, recording_state: 'recording' }),
    call('paused', me, at, { matches, recording_state: 'paused' }),
    call('holds', me, at, { matches, conference: held, recording_state: 'failed' }),
  ];
}

/** With the host's buttons: somebody held and somebody muted, somebody who is being invited, one who declined. */
export function shared(me: string, at: number, name: string): LiveCall[] {
  const matches = [match('r', name, at)] as LiveCall['matches'];
  const invite = { ...INVITE, since_us: at };
  const three = [
    leg('l_1', 'customer', at),
    leg('l_2', 'user', at, { user_id: me }),
    leg('l_3', 'guest', at, { number: '+12065550144', display: '(206) 555-0144' } as Partial<Leg>),
  ];
  const both = { ...QUIET, guest_leg: 'l_3', held: [{ leg: 'l_1', by: me }], muted: ['l_3'] } as unknown as Conference;
  const asked = { ...QUIET, invite: { ...invite, ringing: true } } as unknown as Conference;
  const declined = { ...QUIET, last_invite: { ...invite, result: 'declined', ended_us: at } } as unknown as Conference;
  return [
    call('three', me, at, { matches, conference: both, legs: three }),
    call('asks', me, at, { matches, conference: asked }),
    call('declined', me, at, { matches, conference: declined }),
  ];
}
