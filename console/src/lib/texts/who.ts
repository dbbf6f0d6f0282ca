/** Whom a conversation is with, and how its texts stand. */
import type { Schemas } from '../api/client';

export type Conversation = Schemas['Conversation'];
export type Text = Schemas['Text'];

export function nameOf(conversation: Conversation): string {
  return conversation.name || conversation.customer_display;
}

/** The number, where the name is not that already. */
export function detailOf(conversation: Conversation): string {
  const parts = conversation.name ? [conversation.company, conversation.customer_display] : [];
  return parts.filter(Boolean).join(' · ');
}

export type Tone = 'neutral' | 'accent' | 'good' | 'bad' | 'warn';

export function toneOf(state: string): Tone {
  if (state === 'failed') return 'bad';
  if (state === 'held' || state === 'unknown') return 'warn';
  return 'neutral';
}

/** Nothing of it has left: it can be taken back. */
export function waits(state: string): boolean {
  return ['scheduled', 'held', 'queued'].includes(state);
}

/** What a datetime-local field takes and gives, in the time of this page. */
export function localOf(us: number): string {
  const then = new Date(us / 1000);
  return new Date(then.getTime() - then.getTimezoneOffset() * 60_000).toISOString().slice(0, 16);
}

export function microsOf(local: string): number | null {
  const then = new Date(local).getTime();
  return Number.isFinite(then) ? then * 1000 : null;
}
