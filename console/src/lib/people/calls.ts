/** A call as one line shows it, whether it comes from the log or from a record's feed. */
import type { Schemas } from '../api/client';
import { language } from '../i18n/language.svelte';
import { clock } from '../util/format';

export interface Outcome {
  name: string;
  colour: string;
}

export interface CallBrief {
  id: string;
  at_us: number;
  direction: string;
  disposition: string | null;
  ended: boolean;
  talk_ms: number | null;
  user_id: string | null;
  number: string | null;
  recording_id: string | null;
  notes: string;
  /** The organisation's own word for how it went, once somebody said so. */
  outcome: Outcome | null;
}

export function fromLog(call: Schemas['Call']): CallBrief {
  const { id, direction, disposition, talk_ms, user_id, recording_id } = call;
  const number = call.customer_display ?? call.customer_number;
  const ended = call.ended_us !== null;
  return {
    id,
    direction,
    disposition,
    talk_ms,
    user_id,
    number,
    recording_id,
    ended,
    at_us: call.created_us,
    notes: call.notes ?? '',
    outcome: call.outcome ?? null,
  };
}

/** The feed notes of a call what the log has. */
export function callOf(item: Schemas['Activity']): CallBrief {
  const data = (item.data ?? {}) as Partial<Record<string, unknown>>;
  const text = (name: string): string | null => (typeof data[name] === 'string' ? (data[name] as string) : null);
  return {
    id: item.object_id ?? item.id,
    at_us: item.at_us,
    direction: text('direction') ?? 'outbound',
    disposition: text('disposition'),
    ended: text('disposition') !== null,
    talk_ms: typeof data.talk_ms === 'number' ? data.talk_ms : null,
    user_id: text('user_id'),
    number: null,
    recording_id: text('recording_id'),
    notes: text('notes') ?? '',
    outcome: outcomeIn(data.outcome),
  };
}

function outcomeIn(value: unknown): Outcome | null {
  const said = (value ?? {}) as Partial<Record<string, unknown>>;
  return typeof said.name === 'string' ? { name: said.name, colour: String(said.colour ?? '') } : null;
}

/** “Answered, 3:12”; “No answer”; “Now”. */
export function outcomeOf(call: CallBrief): string {
  const words = language.m.people.calls;
  if (!call.ended) return words.running;
  const ended = words.dispositions[call.disposition ?? ''] ?? call.disposition ?? '';
  return call.talk_ms ? `${ended} · ${clock(call.talk_ms)}` : ended;
}

export function toneOfCall(call: CallBrief): 'good' | 'bad' | 'warn' | 'neutral' | 'accent' {
  if (!call.ended) return 'accent';
  if (call.disposition === 'answered') return 'good';
  if (call.disposition === 'missed' || call.disposition === 'failed' || call.disposition === 'interrupted')
    return 'bad';
  return call.disposition === 'cancelled' ? 'neutral' : 'warn';
}
