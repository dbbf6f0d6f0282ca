/** What a user says of a call, and what of it the engine does not have yet. Pure. */
import type { Schemas } from '../api/client';

export interface Said {
  outcome_id: string | null;
  notes: string;
  deal_id: string | null;
  record_id: string | null;
}
export type Unsent = Partial<Said>;

const NAMES = ['outcome_id', 'notes', 'deal_id', 'record_id'] as const;

export const NOTHING: Said = { outcome_id: null, notes: '', deal_id: null, record_id: null };

export function saidIn(summary: Schemas['Summary']): Said {
  const { outcome_id, notes, deal_id, record_id } = summary;
  return { outcome_id, notes, deal_id, record_id };
}

/** The engine's state with what it has not been told put over it: nothing that was typed is lost. */
export function merged(summary: Schemas['Summary'] | null, unsent: Unsent): Said {
  return { ...(summary ? saidIn(summary) : NOTHING), ...unsent };
}

/** What is left to send after `sent` has arrived: all that was changed again meanwhile. */
export function afterSending(unsent: Unsent, sent: Unsent): Unsent {
  const left = Object.entries(unsent).filter(([name, value]) => sent[name as keyof Said] !== value);
  return Object.fromEntries(left) as Unsent;
}

export function isEmpty(unsent: Unsent): boolean {
  return Object.keys(unsent).length === 0;
}

/** What was kept in the browser, read with care: it may be of an older page. */
export function readKept(text: string | null): Unsent {
  try {
    const found: unknown = JSON.parse(text ?? '{}');
    if (typeof found !== 'object' || found === null) return {};
    const kept = Object.entries(found).filter(
      ([name, value]) =>
        (NAMES as readonly string[]).includes(name) &&
        (typeof value === 'string' || (value === null && name !== 'notes')),
    );
    return Object.fromEntries(kept) as Unsent;
  } catch {
    return {};
  }
}
