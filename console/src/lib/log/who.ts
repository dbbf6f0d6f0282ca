/** Whom a call was with, as one user sees it. Pure. */
import type { Schemas } from '../api/client';

/** What is known of a number that called or was called (I1). */
export interface Known {
  type: string;
  id: string;
  name: string;
  company_name: string;
  label: string;
}

export interface Who {
  name: string;
  company: string;
  /** The number as people write it; empty where `name` is that already. */
  display: string;
  number: string | null;
  record: { type: string; id: string } | null;
  /** A user of ours. */
  colleague: string | null;
}

/** The parts of a call that say it: rows of the log, details and calls that go on all have them. */
export type OfCall = Pick<
  Schemas['Call'],
  | 'direction'
  | 'user_id'
  | 'customer_number'
  | 'customer_display'
  | 'did'
  | 'did_display'
  | 'caller_raw'
  | 'matches'
  | 'record_id'
  | 'record_type'
>;

export function knownIn(call: OfCall): Known[] {
  return (call.matches ?? []) as Known[];
}

/** `names` gives a colleague's name. A call that is filed elsewhere is with whom it is filed under. */
export function whoIn(call: OfCall, me: string, names: (user: string) => string | undefined, unknown: string): Who {
  if (call.direction === 'internal') return colleagueIn(call, me, names, unknown);
  const [number, display] = [call.customer_number, call.customer_display ?? call.customer_number ?? ''];
  const all = knownIn(call);
  const known = all.find(({ id }) => id === call.record_id) ?? (call.record_id ? undefined : all[0]);
  const record = call.record_id ? { type: call.record_type ?? '', id: call.record_id } : null;
  if (!known)
    return { name: display || call.caller_raw || unknown, company: '', display: '', number, record, colleague: null };
  return {
    name: known.name,
    company: known.company_name,
    display,
    number,
    record: record ?? { type: known.type, id: known.id },
    colleague: null,
  };
}

/** Inside, the call is the called one's; whoever called it sees them. */
function colleagueIn(call: OfCall, me: string, names: (user: string) => string | undefined, unknown: string): Who {
  const called = call.user_id !== null && call.user_id !== me;
  const name = called ? names(call.user_id ?? '') : call.caller_raw;
  const [number, display] = called ? [call.did, call.did_display] : [call.customer_number, call.customer_display];
  const shown = name || display || unknown;
  return {
    name: shown,
    company: '',
    display: shown === display ? '' : (display ?? ''),
    number,
    record: null,
    colleague: called ? call.user_id : '',
  };
}

/** As the user who looks sees it: inside it came in for one and went out for the other. */
export function directionFor(call: OfCall, me: string): 'inbound' | 'outbound' {
  if (call.direction !== 'internal') return call.direction === 'outbound' ? 'outbound' : 'inbound';
  return call.user_id === me ? 'inbound' : 'outbound';
}

export function addressOfRecord(record: { type: string; id: string }): string {
  return `/${record.type === 'deal' ? 'deals' : 'people'}/${encodeURIComponent(record.id)}`;
}

const MISSED = new Set(['missed', 'no_answer', 'busy', 'unreachable', 'voicemail', 'rejected']);

/** Calls that came in vain and that nobody has called back or answered since, the newest first, one per number. */
export function toCallBack<Call extends OfCall & { created_us: number; disposition: string | null }>(
  calls: Call[],
  me: string,
): Call[] {
  const settled = new Set<string>();
  return [...calls]
    .sort((one, other) => other.created_us - one.created_us)
    .filter((call) => {
      const incoming = directionFor(call, me) === 'inbound';
      const number = (incoming || call.direction !== 'internal' ? call.customer_number : call.did) ?? '';
      if (!number || settled.has(number)) return false;
      settled.add(number);
      return incoming && call.user_id === me && MISSED.has(call.disposition ?? '');
    });
}
