/** Which rows of a list are selected: some of those that are shown, or all that match, shown or not. */
export class Selection {
  ids = $state.raw<ReadonlySet<string>>(new Set());
  /** Also what is not loaded yet. */
  everything = $state(false);
  /** By id: the list may have let go of rows above it. */
  #last: string | undefined;

  has(id: string): boolean {
    return this.everything || this.ids.has(id);
  }

  get any(): boolean {
    return this.everything || this.ids.size > 0;
  }

  /** With Shift, all between this and the one before get the same state. */
  toggle(ids: string[], index: number, range: boolean): void {
    const id = ids[index];
    if (id === undefined) return;
    const on = !this.has(id);
    const kept = new Set(this.everything ? ids : this.ids);
    const last = range && this.#last !== undefined ? ids.indexOf(this.#last) : -1;
    const [from, to] = last >= 0 ? [last, index].sort((a, b) => a - b) : [index, index];
    for (const each of ids.slice(from, to! + 1)) {
      if (on) kept.add(each);
      else kept.delete(each);
    }
    this.#last = id;
    this.everything = false;
    this.ids = kept;
  }

  all(ids: string[]): void {
    this.ids = new Set(ids);
    this.everything = false;
  }

  clear(): void {
    this.ids = new Set();
    this.everything = false;
    this.#last = undefined;
  }
}
