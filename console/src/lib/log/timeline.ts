/**
 * What happened in a call, in words: each fact of the engine's journal has a sentence; one that the page does not know yet
 * is shown plainly, never hidden.
 */
import type { Messages } from '../i18n/language.svelte';

export interface Fact {
  seq: number;
  kind: string;
  at_us: number;
  data: Record<string, unknown> | null;
}

/** What the sentences are made of: names and words, no ids. */
export interface Said {
  /** Whose leg or phone it is about. */
  who: string;
  /** The user who did it; empty for nobody or the phone itself. */
  by: string;
  number: string;
  name: string;
  /** How it ended, why it was refused, what state it is in: in words. */
  what: string;
  /** The raw word behind `what`, and how something was done. */
  key: string;
  how: string;
  count: number;
  yes: boolean;
}

export interface Entry {
  seq: number;
  at_us: number;
  text: string;
  /** Of interest to whoever looks for a fault; the rest is what people would tell of the call. */
  minor: boolean;
}

export interface Names {
  leg(id: string): string;
  user(id: string): string;
  number(e164: string): string;
  record(type: string, id: string): string;
}

const MINOR = new Set([
  'answer.asked',
  'call.state',
  'command.failed',
  'gate.verdict',
  'leg.created',
  'leg.ended',
  'leg.trunk',
  'leg.ringing',
  'recording.finished',
  'recording.track',
  'transfer.waiting',
  'trunk.failed',
  'trunk.silent',
  'voicemail.finished',
]);

export function timelineOf(facts: Fact[], names: Names, words: Messages['timeline']): Entry[] {
  return facts.map((fact) => {
    const say = words.facts[fact.kind];
    const said = saidBy(fact, names, words);
    const refused = fact.kind === 'gate.verdict' && !said.yes; // what people ask about
    return {
      seq: fact.seq,
      at_us: fact.at_us,
      text: say ? say(said) : words.other(fact.kind),
      minor: !say || (MINOR.has(fact.kind) && !refused),
    };
  });
}

function saidBy({ data }: Fact, names: Names, words: Messages['timeline']): Said {
  const text = (name: string): string => {
    const value = data?.[name];
    return typeof value === 'string' ? value : '';
  };
  const number = text('number') || text('did');
  const key = ['disposition', 'result', 'reason', 'state', 'direction'].map(text).find(Boolean) ?? '';
  const matches = Array.isArray(data?.['matches']) ? (data['matches'] as { name?: unknown }[]) : [];
  const about = text('record_id') ? names.record(text('record_type'), text('record_id')) : '';
  return {
    who:
      (text('leg') && names.leg(text('leg'))) ||
      (text('user_id') && names.user(text('user_id'))) ||
      caller(text, names),
    by: names.user(text('by') || text('ended_by') || text('requested_by')),
    number: number && names.number(number),
    name: text('name') || text('customer_name') || about || matches.map(({ name }) => String(name ?? '')).join(', '),
    what: words.words[key] ?? (text('sentence') || key),
    key,
    how: text('how') || text('by') || text('ended_by'),
    count: [data?.['count'], data?.['limit_ms'], data?.['wait_ms']].find((each) => typeof each === 'number') ?? 0,
    yes: data?.['allowed'] === true || data?.['kept'] === true,
  };
}

function caller(text: (name: string) => string, names: Names): string {
  const number = text('customer');
  return number ? names.number(number) : '';
}
