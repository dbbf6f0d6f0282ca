/**
 * What a call of the engine's means to one user: their part in it, whom they talk with, who is held, what they may do.
 * Pure: the page draws it, tests hold it.
 */
import type { LiveCall } from './live/types';

export type Leg = LiveCall['legs'][number];
export type Invitation = NonNullable<NonNullable<LiveCall['conference']>['invite']>;

/**
 * `ringing`: it rings for them; `invited`: as a guest; `starting`: they call, nobody has answered yet; `returning`: their
 * page was lost, and is rung again as soon as it is back.
 */
export type Part = 'ringing' | 'invited' | 'starting' | 'talking' | 'returning';
export type Role = 'host' | 'guest' | 'party';

/** One of the records that have the caller's number (I1). */
export interface Match {
  type: 'lead' | 'contact' | 'company';
  id: string;
  name: string;
  company_id: string | null;
  company_name: string;
  title: string;
  number: string;
  label: string;
  deal: { id: string; name: string; stage: string } | null;
  last_note: { text: string; created_us: number } | null;
}

export function matchesOf(call: LiveCall): Match[] {
  return (call.matches ?? []) as Match[];
}

export function live(leg: Leg): boolean {
  return leg.ended_us === null;
}

/** A user's own phones carry no user's name: they are those of the user whose call it is. */
export function userOf(call: LiveCall, leg: Leg): string | null {
  if (leg.user_id) return leg.user_id;
  return leg.role === 'user' || leg.role === 'forward' ? call.user_id : null;
}

export function legsOf(call: LiveCall, user: string): Leg[] {
  return call.legs.filter((leg) => live(leg) && userOf(call, leg) === user);
}

/** Of several, the one that was answered: the others only ring. */
export function legOf(call: LiveCall, user: string): Leg | null {
  const legs = legsOf(call, user);
  return legs.find(({ answered_us }) => answered_us !== null) ?? legs[0] ?? null;
}

/** The leg of a user who is being waited for. */
function lostLeg(call: LiveCall, user: string): string | null {
  return call.conference?.reconnecting.find(({ user_id }) => user_id === user)?.leg ?? null;
}

export function partOf(call: LiveCall, user: string): Part | null {
  if (call.ended_us === null && lostLeg(call, user)) return 'returning';
  const leg = call.ended_us === null ? legOf(call, user) : null;
  if (!leg) return null;
  if (leg.role === 'guest') return leg.answered_us === null ? 'invited' : 'talking';
  if (call.answered_us !== null && leg.answered_us !== null) return 'talking';
  const called = call.direction !== 'outbound' && leg.role === 'user';
  if (called) return call.state === 'ringing' && leg.answered_us === null ? 'ringing' : null;
  return leg.role === 'forward' && call.direction !== 'outbound' ? null : 'starting';
}

/** The calls that a user is in, oldest first. */
export function activeCalls(calls: LiveCall[], user: string): LiveCall[] {
  return calls.filter((call) => ['starting', 'talking', 'returning'].includes(partOf(call, user) ?? '')).sort(older);
}

/** The calls that go on without a user who has talked in them. */
export function callsLeft(calls: LiveCall[], user: string): LiveCall[] {
  return calls.filter(
    (call) =>
      call.ended_us === null &&
      partOf(call, user) === null &&
      call.participants.some(({ user_id, left_us }) => user_id === user && left_us !== null),
  );
}

/** The calls that ask for a user's answer, oldest first. */
export function ringingCalls(calls: LiveCall[], user: string): LiveCall[] {
  return calls.filter((call) => ['ringing', 'invited'].includes(partOf(call, user) ?? '')).sort(older);
}

function older(one: LiveCall, other: LiveCall): number {
  return one.created_us - other.created_us;
}

/** Two users in a call of their own are equals; whoever invites becomes host. */
export function roleOf(call: LiveCall, user: string): Role {
  const leg = lostLeg(call, user) ?? legOf(call, user)?.id;
  const { conference } = call;
  if (leg && conference?.guest_leg === leg) return 'guest';
  if (conference) return leg && conference.host_leg === leg ? 'host' : 'party';
  return call.user_id === user ? 'host' : 'party';
}

export interface May {
  /** Hold, take back and drop others. */
  control: boolean;
  invite: boolean;
  cancelInvite: boolean;
  leave: boolean;
  end: boolean;
  record: boolean;
}

/** The engine refuses the rest (C11); this says what to offer. */
export function mayOf(call: LiveCall, user: string): May {
  const [role, part, many] = [roleOf(call, user), partOf(call, user), partiesOf(call).length > 2];
  const talking = part === 'talking';
  const free = !call.conference?.invite && !call.conference?.guest_leg;
  return {
    control: talking && role === 'host',
    invite: talking && free && !many && role !== 'guest',
    cancelInvite: role === 'host' && Boolean(call.conference?.invite),
    leave: talking && (many || role === 'guest'),
    end: role === 'host' || (role === 'party' && !many),
    record: talking && role === 'host',
  };
}

/** Whose voices are in the conversation, in the order in which they came. */
export function partiesOf(call: LiveCall): Leg[] {
  const inside = new Set(call.participants.filter(({ left_us }) => left_us === null).map(({ leg_id }) => leg_id));
  return call.legs.filter((leg) => live(leg) && inside.has(leg.id));
}

/** The other side of a call: of a guest's as of a host's it is the customer. */
export function customerLeg(call: LiveCall): Leg | null {
  const legs = call.legs.filter(({ role }) => role === 'customer');
  return legs.find(live) ?? legs.at(-1) ?? null;
}

/** Whom a user talks with in a call of two; with a guest, the customer. */
export function otherLeg(call: LiveCall, user: string): Leg | null {
  const mine = legOf(call, user);
  const others = partiesOf(call).filter((leg) => leg.id !== mine?.id);
  return others.find(({ role }) => role === 'customer') ?? others[0] ?? null;
}

/** By whom a party is held who is not a user. */
const BY_ITSELF = ['phone', 'reconnecting'];

/** Whether it was somebody's wish that this party hears music, and the host can take it back. */
export function heldByHand(call: LiveCall, leg: Leg | null): boolean {
  return (call.conference?.held ?? []).some((held) => held.leg === leg?.id && !BY_ITSELF.includes(held.by));
}

/** Who holds a party: a user's id, `host`, `phone`, or `reconnecting` for one that waits; null where nobody does. */
export function heldBy(call: LiveCall, leg: Leg | null): string | null {
  return call.conference?.held.find((held) => held.leg === leg?.id)?.by ?? null;
}

export function isMuted(call: LiveCall, leg: Leg | null): boolean {
  return leg !== null && (call.conference?.muted ?? []).includes(leg.id);
}

/** The record that the call is filed under, or the only one that has the number. */
export function matchOf(call: LiveCall): Match | null {
  const matches = matchesOf(call);
  const filed = matches.find(({ id }) => id === call.record_id);
  return filed ?? (call.record_id === null && matches.length === 1 ? (matches[0] ?? null) : null);
}

/** The colleague at the other end, where the call is inside. */
export function colleagueOf(call: LiveCall, user: string): string | null {
  const [leg, mine] = [customerLeg(call), legOf(call, user)];
  const other = leg && leg.id !== mine?.id ? leg.user_id : null;
  if (other) return other;
  return call.direction === 'internal' && call.user_id !== user ? call.user_id : null;
}

export type CallState =
  | 'phone_rings' // ours, before the other side is dialled
  | 'dialling'
  | 'ringing'
  | 'talking'
  | 'on_hold' // the other side hears music
  | 'held' // we do
  | 'waiting' // for a user whose page was lost
  | 'returning'
  | 'ending';

export function stateOf(call: LiveCall, user: string): CallState {
  if (call.answered_us === null) {
    if (call.state === 'preparing') return 'phone_rings';
    if (call.state === 'announcing') return 'ending';
    return call.ringing_us === null ? 'dialling' : 'ringing';
  }
  if (lostLeg(call, user)) return 'returning';
  const held = heldBy(call, legOf(call, user));
  if (held) return held === 'reconnecting' ? 'waiting' : 'held';
  return heldBy(call, otherLeg(call, user)) ? 'on_hold' : 'talking';
}

/** When it goes on to the forwarding number or the voicemail, in microseconds. */
export function ringsUntil(call: LiveCall, user: string, ringTimeS: number): number {
  const began = Math.min(...legsOf(call, user).map(({ created_us }) => created_us));
  return (Number.isFinite(began) ? began : call.created_us) + ringTimeS * 1_000_000;
}

export type RecordingState = 'off' | 'recording' | 'paused' | 'failed';

export function recordingOf(call: LiveCall): RecordingState {
  switch (call.recording_state) {
    case 'recording':
      return 'recording';
    case 'paused':
      return 'paused';
    case 'not_started':
    case 'failed':
      return 'failed';
    default:
      return 'off';
  }
}
