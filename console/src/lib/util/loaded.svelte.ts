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

type Page<T> = { items: T[]; next_cursor?: string | null };

/** A page that was read: what it is asked for with, the first row that it had, and how many. */
interface Mark {
  cursor: string | null;
  first: string | undefined;
  rows: number;
}

/**
 * A list that the server gives page by page. With `kept`, no more pages than this are held: those far from what is
 * looked at are let go of, counted in `before` and `after`, and read again when they come into sight.
 */
export class Pages<T extends { id: string }> {
  items = $state.raw<T[]>([]);
  before = $state(0);
  after = $state(0);
  problem = $state<string | null>(null);
  busy = $state(false);
  /** Whether the first page has come. */
  ready = $state(false);
  done = $state(false);
  #marks: Mark[] = [];
  /** Of the marks, those whose rows are held. */
  #held = { from: 0, to: 0 };
  #cursor: string | null = null;
  #run = 0;

  constructor(
    private readonly load: (cursor: string | null) => Promise<Page<T>>,
    private readonly kept = Infinity,
  ) {}

  /** From the first page on. An effect that calls this depends on nothing of the list's own. */
  begin(): Promise<void> {
    return untrack(() => this.#begin());
  }

  async #begin(): Promise<void> {
    this.#marks = [];
    this.#held = { from: 0, to: 0 };
    this.#cursor = null;
    this.done = this.ready = false;
    this.#run++;
    this.busy = false;
    await this.#read(null, (page) => {
      this.#marks = [markOf(null, page)];
      this.#held = { from: 0, to: 1 };
      this.#ends(page);
      this.items = page.items;
      this.before = this.after = 0;
      this.ready = true;
    });
  }

  /** The page below those that are held. */
  more = async (): Promise<void> => {
    if (this.busy || this.problem !== null) return;
    const { to } = this.#held;
    const known = this.#marks[to];
    if (known) return this.#read(known.cursor, (page) => this.#below(page, known.cursor));
    if (!this.done) await this.#read(this.#cursor, (page) => this.#below(page, this.#cursor));
  };

  /** Have these rows, counted from the first of all: what is near is added, what is far away takes the place of all. */
  need = (first: number, last: number): void => {
    if (this.busy || this.problem !== null) return;
    const end = this.before + this.items.length;
    const far = last < this.before || first > end;
    if (far && this.before + this.after > 0) void this.#jump(first);
    else if (first < this.before) void this.#earlier();
    else if (last >= end) void this.more();
  };

  async #earlier(): Promise<void> {
    const at = this.#held.from - 1;
    const mark = this.#marks[at];
    if (mark)
      await this.#read(mark.cursor, (page) => {
        this.before = Math.max(0, this.before - mark.rows);
        this.#marks[at] = markOf(mark.cursor, page);
        this.#held.from = at;
        this.items = [...page.items, ...this.items];
        if (at === 0) this.before = 0;
        while (this.#held.to - this.#held.from > this.kept) this.#dropLast();
      });
  }

  async #jump(row: number): Promise<void> {
    let [at, before] = [0, 0];
    for (; at < this.#marks.length - 1 && before + this.#marks[at]!.rows <= row; at++) before += this.#marks[at]!.rows;
    const mark = this.#marks[at]!;
    await this.#read(mark.cursor, (page) => {
      this.#marks[at] = markOf(mark.cursor, page);
      this.#held = { from: at, to: at + 1 };
      this.items = page.items;
      this.before = before;
      this.after = this.#marks.slice(at + 1).reduce((sum, { rows }) => sum + rows, 0);
    });
  }

  #below(page: Page<T>, cursor: string | null): void {
    const at = this.#held.to;
    const known = this.#marks[at];
    this.#marks[at] = markOf(cursor, page);
    this.#held.to = at + 1;
    if (known) this.after = at + 1 === this.#marks.length ? 0 : Math.max(0, this.after - known.rows);
    if (at + 1 === this.#marks.length) this.#ends(page);
    this.items = [...this.items, ...page.items];
    while (this.#held.to - this.#held.from > this.kept) this.#dropFirst();
  }

  #ends(page: Page<T>): void {
    this.#cursor = page.next_cursor ?? null;
    this.done = this.#cursor === null;
  }

  /** Rows may have been added or taken out by whoever lists them: a page goes up to the first row of the next one. */
  #dropFirst(): void {
    const { from } = this.#held;
    const cut = this.#start(from + 1, this.#marks[from]!.rows);
    this.#marks[from]!.rows = cut;
    this.items = this.items.slice(cut);
    this.before += cut;
    this.#held.from = from + 1;
  }

  #dropLast(): void {
    const at = this.#held.to - 1;
    const cut = this.#start(at, this.items.length - this.#marks[at]!.rows);
    this.#marks[at]!.rows = this.items.length - cut;
    this.after += this.items.length - cut;
    this.items = this.items.slice(0, cut);
    this.#held.to = at;
  }

  #start(mark: number, otherwise: number): number {
    const first = this.#marks[mark]?.first;
    const found = this.items.findIndex(({ id }) => id === first);
    return found < 0 ? Math.max(0, Math.min(otherwise, this.items.length)) : found;
  }

  async #read(cursor: string | null, take: (page: Page<T>) => void): Promise<void> {
    const run = this.#run;
    this.busy = true;
    try {
      const page = await this.load(cursor);
      if (run !== this.#run) return;
      take(page);
      this.problem = null;
    } catch (error) {
      if (run === this.#run) [this.problem, this.done] = [sentence(error), true];
    } finally {
      if (run === this.#run) this.busy = false;
    }
  }
}

function markOf<T extends { id: string }>(cursor: string | null, { items }: Page<T>): Mark {
  return { cursor, first: items[0]?.id, rows: items.length };
}
