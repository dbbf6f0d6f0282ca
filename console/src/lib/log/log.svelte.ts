/**
 * The log of calls as the page lists it: the server's pages, with what happens meanwhile. A call that is listed changes
 * in its place; a new one is asked for with the same question, so that the server's rule says whether it belongs here.
 */
import { answer, api, type Schemas } from '../api/client';
import { live } from '../live/live.svelte';
import type { LiveEvent } from '../live/types';
import { Pages } from '../util/loaded.svelte';
import type { Query } from './filters';

export type Row = Schemas['Call'];

const PAGE = 50;
const KEPT = 20;
const LOOK_AFTER_MS = 500;

export class Log {
  readonly pages: Pages<Row>;
  /** New calls that wait to be shown: what is read does not move. */
  waiting = $state.raw<Row[]>([]);
  /** When the first call of the list began: the row itself may have been let go of. */
  #newest = 0;
  #look: ReturnType<typeof setTimeout> | undefined;

  constructor(private readonly query: Query) {
    this.pages = new Pages((cursor) => this.#page(cursor), KEPT);
  }

  /** Gives the function that ends it. */
  start(): () => void {
    void this.pages.begin();
    const stop = live.on(
      (event) => this.#happened(event),
      () => this.#again(),
    );
    return () => {
      stop();
      clearTimeout(this.#look);
    };
  }

  #again(): void {
    this.waiting = [];
    void this.pages.begin();
  }

  show = (): void => {
    if (this.pages.before > 0) void this.pages.begin();
    else this.pages.items = [...this.waiting, ...this.pages.items];
    this.waiting = [];
  };

  #page(cursor: string | null): Promise<{ items: Row[]; next_cursor?: string | null }> {
    const query = { ...this.query, limit: PAGE, cursor: cursor ?? undefined };
    return answer(api.GET('/api/v1/calls', { params: { query } }));
  }

  #happened(event: LiveEvent): void {
    if (event.type === 'summary') this.#change(event.summary.call_id, { outcome: event.summary.outcome });
    if (event.type !== 'call' || this.#change(event.call.id, event.call)) return;
    this.#look ??= setTimeout(() => void this.#lookForNew(), LOOK_AFTER_MS);
  }

  #change(id: string, changes: Partial<Row>): boolean {
    const changed = (rows: Row[]): Row[] => rows.map((row) => (row.id === id ? { ...row, ...changes } : row));
    const has = (rows: Row[]): boolean => rows.some((row) => row.id === id);
    if (has(this.pages.items)) this.pages.items = changed(this.pages.items);
    else if (has(this.waiting)) this.waiting = changed(this.waiting);
    else return false;
    return true;
  }

  async #lookForNew(): Promise<void> {
    this.#look = undefined;
    if (!this.pages.ready) return;
    try {
      const { items } = await this.#page(null);
      const known = new Set([...this.waiting, ...this.pages.items].map(({ id }) => id));
      if (this.pages.before === 0) this.#newest = this.pages.items[0]?.created_us ?? 0;
      const found = items.filter((row) => !known.has(row.id) && row.created_us >= this.#newest);
      if (!found.length) return;
      this.waiting = [...found, ...this.waiting];
      if (scrollY < 40 || !this.pages.items.length) this.show();
    } catch {
      // the next call that is new asks again
    }
  }
}
