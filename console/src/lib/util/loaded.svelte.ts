/** What a screen reads from the API: loading, there, or failed – and again when asked. */
import { untrack } from 'svelte';
import { sentence } from '../ui/toasts.svelte';

export class Loaded<T> {
  value = $state.raw<T | null>(null);
  problem = $state<string | null>(null);
  busy = $state(false);
  #run = 0;

  constructor(private readonly load: () => Promise<T>) {}

  /** Reads again; an answer that comes after that of a later question is dropped. */
  async again(): Promise<void> {
    const run = ++this.#run;
    this.busy = true;
    try {
      const value = await this.load();
      if (run === this.#run) [this.value, this.problem] = [value, null];
    } catch (error) {
      if (run === this.#run) this.problem = sentence(error);
    } finally {
      if (run === this.#run) this.busy = false;
    }
  }
}

/** A list that the server gives page by page. */
export class Pages<T extends { id: string }> {
  items = $state.raw<T[]>([]);
  problem = $state<string | null>(null);
  busy = $state(false);
  /** Whether the first page has come. */
  ready = $state(false);
  done = $state(false);
  #cursor: string | null = null;
  #run = 0;

  constructor(private readonly load: (cursor: string | null) => Promise<{ items: T[]; next_cursor?: string | null }>) {}

  /** From the first page on. An effect that calls this depends on nothing of the list's own. */
  begin(): Promise<void> {
    return untrack(() => this.#begin());
  }

  async #begin(): Promise<void> {
    this.#cursor = null;
    this.done = this.ready = false;
    this.#run++;
    this.busy = false;
    await this.more(true);
  }

  more = async (fresh = false): Promise<void> => {
    if (this.busy || this.done) return;
    const run = this.#run;
    this.busy = true;
    try {
      const page = await this.load(this.#cursor);
      if (run !== this.#run) return;
      this.items = fresh ? page.items : [...this.items, ...page.items];
      this.#cursor = page.next_cursor ?? null;
      this.done = this.#cursor === null;
      this.ready = true;
      this.problem = null;
    } catch (error) {
      if (run === this.#run) [this.problem, this.done] = [sentence(error), true];
    } finally {
      if (run === this.#run) this.busy = false;
    }
  };
}
