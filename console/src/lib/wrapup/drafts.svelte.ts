/**
 * Summaries as they are typed: kept in the browser at once, sent to the engine a moment later, tried again until it has
 * them. The drawer during the call and the page after it write into the same draft.
 */
import { answer, api, Problem, type Schemas } from '../api/client';
import { live } from '../live/live.svelte';
import { session } from '../session.svelte';
import { sentence } from '../ui/toasts.svelte';
import { afterSending, isEmpty, merged, readKept, type Said, type Unsent } from './draft';

/** `waiting`: it could not be sent and is tried again; `refused`: the engine says why it cannot be kept. */
export type State = 'loading' | 'saved' | 'saving' | 'waiting' | 'refused';

const SEND_AFTER_MS = 600;
const FIRST_RETRY_MS = 2_000;
const LONGEST_RETRY_MS = 30_000;

export class Draft {
  said = $state.raw<Said>(merged(null, {}));
  state = $state<State>('loading');
  /** Why it could not be read, or is refused. */
  problem = $state<string | null>(null);
  summary = $state.raw<Schemas['Summary'] | null>(null);
  #unsent: Unsent;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #retry = FIRST_RETRY_MS;
  #sending: Promise<void> | null = null;

  constructor(
    readonly callId: string,
    private readonly place: string,
  ) {
    this.#unsent = readKept(localStorage.getItem(place));
    this.said = merged(null, this.#unsent);
  }

  async load(): Promise<void> {
    const params = { path: { call: this.callId } };
    try {
      this.take(await answer(api.GET('/api/v1/calls/{call}/summary', { params })));
      this.problem = null;
      this.state = 'saved';
      if (!isEmpty(this.#unsent)) this.#soon(0);
    } catch (error) {
      this.problem = sentence(error);
    }
  }

  /** The engine's word, also of what another page of this user has typed. */
  take(summary: Schemas['Summary']): void {
    if (this.summary && summary.updated_us < this.summary.updated_us) return;
    this.summary = summary;
    this.said = merged(summary, this.#unsent);
  }

  change(changes: Unsent): void {
    this.#unsent = { ...this.#unsent, ...changes };
    this.said = { ...this.said, ...changes };
    this.#keep();
    this.state = 'saving';
    this.#soon(SEND_AFTER_MS);
  }

  /** Send what is not sent, now: somebody is back at the page, or the connection is. */
  again(): void {
    if (!isEmpty(this.#unsent) && this.state === 'waiting') this.#soon(0);
  }

  /** The summary is done. Throws Problem; then all stays as it was typed. */
  async save(): Promise<void> {
    clearTimeout(this.#timer);
    await this.#sending;
    const sent = { ...this.said };
    const params = { path: { call: this.callId } };
    const summary = await answer(api.POST('/api/v1/calls/{call}/summary/save', { params, body: sent }));
    this.#unsent = afterSending(this.#unsent, sent);
    this.#keep();
    this.take(summary);
    this.state = 'saved';
  }

  #soon(after: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.#send(), after);
  }

  async #send(): Promise<void> {
    if (this.#sending) await this.#sending;
    if (isEmpty(this.#unsent)) return;
    this.#sending = this.#put({ ...this.#unsent });
    await this.#sending;
    this.#sending = null;
  }

  async #put(sent: Unsent): Promise<void> {
    this.state = 'saving';
    const params = { path: { call: this.callId } };
    try {
      const summary = await answer(api.PUT('/api/v1/calls/{call}/summary', { params, body: sent }));
      this.#unsent = afterSending(this.#unsent, sent);
      this.#keep();
      this.take(summary);
      this.#retry = FIRST_RETRY_MS;
      this.problem = null;
      this.state = isEmpty(this.#unsent) ? 'saved' : 'saving';
      if (!isEmpty(this.#unsent)) this.#soon(SEND_AFTER_MS);
    } catch (error) {
      this.#failed(error);
    }
  }

  #failed(error: unknown): void {
    const passing = error instanceof Problem && (error.passing || error.status >= 500 || error.status === 401);
    this.problem = passing ? null : sentence(error);
    this.state = passing ? 'waiting' : 'refused';
    if (passing) {
      this.#soon(this.#retry);
      this.#retry = Math.min(this.#retry * 2, LONGEST_RETRY_MS);
      return;
    }
    // What is chosen from a list may be gone from it; what was typed stays.
    const field = error instanceof Problem ? error.field : null;
    if (field === 'outcome_id' || field === 'deal_id' || field === 'record_id') this.#giveUp(field);
  }

  #giveUp(field: keyof Unsent): void {
    const { [field]: _, ...left } = this.#unsent;
    this.#unsent = left;
    this.#keep();
    this.said = merged(this.summary, left);
    if (!isEmpty(left)) this.#soon(0);
  }

  #keep(): void {
    if (isEmpty(this.#unsent)) localStorage.removeItem(this.place);
    else localStorage.setItem(this.place, JSON.stringify(this.#unsent));
  }
}

class Drafts {
  #drafts = new Map<string, Draft>();

  constructor() {
    live.on((event) => {
      if (event.type === 'summary') this.#drafts.get(placeOf(event.summary.call_id))?.take(event.summary);
    });
    addEventListener('online', () => this.#drafts.forEach((draft) => draft.again()));
  }

  /** This user's draft of that call, read from the engine when it is first asked for. */
  of(callId: string): Draft {
    const place = placeOf(callId);
    const known = this.#drafts.get(place);
    if (known) return known;
    const draft = new Draft(callId, place);
    this.#drafts.set(place, draft);
    queueMicrotask(() => void draft.load());
    return draft;
  }
}

function placeOf(callId: string): string {
  return `switchhook.draft.${session.user?.id ?? ''}.${callId}`;
}

export const drafts = new Drafts();
