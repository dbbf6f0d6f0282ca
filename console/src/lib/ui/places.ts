/**
 * Which element of a windowed list shows which row. Rows that stay keep theirs; those that come take over from those that
 * go, where these stand: scrolling makes no elements and moves none, since either costs the browser the row's layout. So
 * the elements are out of their order until `settle`. Those that are not needed for a moment, as the rows of a jump are
 * not there yet, are put aside for it.
 */
export interface Place<Item> {
  id: number;
  row: number;
  item: Item;
  aside: boolean;
}

export class Places<Item> {
  #order: Place<Item>[] = [];
  #made = 0;

  /** The elements of these rows, of which the first is `first`, as they stand in the page. The same object: no change. */
  take(first: number, items: Item[]): Place<Item>[] {
    const there = (row: number): boolean => row >= first && row < first + items.length;
    const kept = new Set(this.#order.filter(({ row, aside }) => !aside && there(row)).map(({ row }) => row));
    const coming = items.map((_, index) => first + index).filter((row) => !kept.has(row));
    let next = 0;
    const filled = (id: number, row: number): Place<Item> => ({ id, row, item: items[row - first]!, aside: false });
    this.#order = this.#order.map((place) => {
      if (!place.aside && there(place.row))
        return place.item === items[place.row - first] ? place : filled(place.id, place.row);
      const row = coming[next++];
      if (row !== undefined) return filled(place.id, row);
      return place.aside ? place : { ...place, aside: true };
    });
    this.#order.push(...coming.slice(next).map((row) => filled(this.#made++, row)));
    return this.#order;
  }

  /** In the order of their rows, as they are read aloud and reached by Tab. Whether that was another one. */
  settle(): boolean {
    const sorted = this.#order.toSorted((one, other) => one.row - other.row);
    const moved = sorted.some((place, index) => place !== this.#order[index]);
    this.#order = sorted;
    return moved;
  }
}
