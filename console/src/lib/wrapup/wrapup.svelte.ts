/**
 * After a call its summary opens by itself for each user who took part (S1), unless it would take somebody's words away:
 * then, and for all that stay open, a link in the header says how many there are.
 */
import { live } from '../live/live.svelte';
import type { Summary } from '../live/types';
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

  /** To be run in an effect: follows the summaries and opens those that are new. */
  follow(): void {
    for (const summary of this.open) {
      if (this.#seen.has(summary.call_id)) continue;
      this.#seen.add(summary.call_id);
      sessionStorage.setItem(SEEN, JSON.stringify([...this.#seen].slice(-200)));
      if (nowUs() - (summary.call_ended_us ?? 0) < FRESH_US && this.#free()) this.#open(summary.call_id);
    }
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
