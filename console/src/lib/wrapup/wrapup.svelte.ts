/**
 * After a call its summary opens by itself for each user who took part (S1), unless it would take somebody's words away:
 * then, and for all that stay open, a link in the header says how many there are.
 */
import { callsLeft } from '../calls';
import { live } from '../live/live.svelte';
import type { LiveCall, Summary } from '../live/types';
import { router } from '../router.svelte';
import { session } from '../session.svelte';
import { nowUs } from '../util/format';
import { openSummaries } from './open';

const FRESH_US = 5 * 60 * 1_000_000;
const SEEN = 'switchhook.summaries.seen';
const LAST_USED = 'switchhook.page.used';

export function addressOf(callId: string): string {
  return `/calls/${encodeURIComponent(callId)}/summary`;
}

class WrapUp {
  /** Where the page was when a summary opened by itself: after saving it goes on there. */
  before: string | null = null;
  #seen = new Set<string>(JSON.parse(sessionStorage.getItem(SEEN) ?? '[]') as string[]);
  #page = crypto.randomUUID();

  get open(): Summary[] {
    return session.user ? openSummaries(live.summaries, session.user.id) : [];
  }

  next(after: string): Summary | null {
    return this.open.find(({ call_id }) => call_id !== after) ?? null;
  }

  /** To be run in an effect: opens the summaries that are new, also of a call that others go on with (C13). */
  follow(): void {
    for (const call of callsLeft(live.calls, session.me.id)) this.#offer(call.id, leftAt(call));
    for (const { call_id, call_ended_us } of this.open) this.#offer(call_id, call_ended_us ?? 0);
  }

  #offer(callId: string, sinceUs: number): void {
    if (this.#seen.has(callId)) return;
    this.#seen.add(callId);
    sessionStorage.setItem(SEEN, JSON.stringify([...this.#seen].slice(-200)));
    if (nowUs() - sinceUs < FRESH_US && this.#free()) this.#open(callId);
  }

  /** Of several pages only the one that was used last goes anywhere. */
  used = (): void => {
    if (document.hasFocus()) localStorage.setItem(LAST_USED, this.#page);
  };

  #open(callId: string): void {
    if (!router.path.endsWith('/summary')) this.before = router.path + location.search;
    router.go(addressOf(callId));
  }

  /** Nobody types, nothing asks for an answer, no other call goes on, and no other summary is being written. */
  #free(): boolean {
    const last = localStorage.getItem(LAST_USED);
    if (last !== null && last !== this.#page) return false;
    if (router.path.endsWith('/summary') || document.querySelector('dialog[open]')) return false;
    const talks = live.calls.some((call) =>
      call.participants.some((each) => mine(each.user_id) && each.left_us === null),
    );
    return !talks && !typing();
  }
}

function leftAt(call: LiveCall): number {
  return Math.max(...call.participants.filter((each) => mine(each.user_id)).map(({ left_us }) => left_us ?? 0));
}

function mine(user: string | null): boolean {
  return user !== null && user === session.user?.id;
}

/** Words in a field that is not the search or the notes of the call that is over. */
function typing(): boolean {
  const field = document.activeElement;
  if (!(field instanceof HTMLTextAreaElement || field instanceof HTMLInputElement)) return false;
  return field.value !== '' && !field.closest('[data-notes]');
}

export const wrapup = new WrapUp();
