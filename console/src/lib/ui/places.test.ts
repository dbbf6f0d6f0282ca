import { describe, expect, it } from 'vitest';
import { Places } from './places';

/** What of each row is shown: `a12`, unless another is asked for. */
const rows = (first: number, count: number, kind = 'a'): string[] =>
  Array.from({ length: count }, (_, index) => `${kind}${first + index}`);

const shown = (places: Places<string>, first: number, count: number): string =>
  places
    .take(first, rows(first, count))
    .map(({ id, item, aside }) => (aside ? `${id}:-` : `${id}:${item}`))
    .join(' ');

describe('the elements of a windowed list', () => {
  it('stay with their rows and where they are; those above become those below', () => {
    const places = new Places<string>();
    expect(shown(places, 0, 4)).toBe('0:a0 1:a1 2:a2 3:a3');
    expect(shown(places, 2, 4)).toBe('0:a4 1:a5 2:a2 3:a3');
    expect(shown(places, 1, 4)).toBe('0:a4 1:a1 2:a2 3:a3');
  });

  it('are the same objects where nothing is to be drawn anew', () => {
    const places = new Places<string>();
    const before = [...places.take(0, rows(0, 3))];
    const after = places.take(1, ['a1', 'b2', 'a3']);
    expect(after[1]).toBe(before[1]);
    expect(after[2]).toEqual({ id: 2, row: 2, item: 'b2', aside: false });
  });

  it('all take over in their order after a jump', () => {
    const places = new Places<string>();
    shown(places, 3, 3);
    expect(shown(places, 900, 3)).toBe('0:a900 1:a901 2:a902');
  });

  it('stand in the order of their rows once they settle', () => {
    const places = new Places<string>();
    shown(places, 0, 3);
    shown(places, 1, 3);
    expect(places.settle()).toBe(true);
    expect(shown(places, 1, 3)).toBe('1:a1 2:a2 0:a3');
    expect(places.settle()).toBe(false);
  });

  it('are made only where there are not enough, and put aside while there are too many', () => {
    const places = new Places<string>();
    shown(places, 10, 3);
    expect(shown(places, 11, 4)).toBe('0:a13 1:a11 2:a12 3:a14');
    expect(shown(places, 50, 2)).toBe('0:a50 1:a51 2:- 3:-');
    expect(shown(places, 50, 0)).toBe('0:- 1:- 2:- 3:-');
    expect(shown(places, 12, 3)).toBe('0:a12 1:a13 2:a14 3:-');
  });
});
