/**
 * Which element of a windowed list shows which row. Rows that stay keep theirs; those that come take over from those that
 * go, where these stand: scrolling makes no elements and moves none, since either costs the browser the row's layout. So
 * the elements are out of their order until `settle`.
 */
export interface Place {
  id: number;
  row: number;
}

export class Places {
  #order: Place[] = [];
  #made = 0;

  /** The elements of the rows from `first` on, as they stand in the page. */
  take(first: number, count: number): Place[] {
    const wanted = new Set(Array.from({ length: count }, (_, index) => first + index));
    for (const { row } of this.#order) wanted.delete(row);
    const coming = [...wanted].reverse();
    const stays = ({ row }: Place): boolean => row >= first && row < first + count;
    this.#order = this.#order.flatMap((place) => {
      if (stays(place)) return [place];
      const row = coming.pop();
      return row === undefined ? [] : [{ id: place.id, row }];
    });
    this.#order.push(...coming.reverse().map((row) => ({ id: this.#made++, row })));
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
