import { describe, expect, it } from 'vitest';
import { Places } from './places';

const shown = (places: Places, first: number, count: number): string =>
  places
    .take(first, count)
    .map(({ id, row }) => `${id}:${row}`)
    .join(' ');

describe('the elements of a windowed list', () => {
  it('stay with their rows and where they are; those above become those below', () => {
    const places = new Places();
    expect(shown(places, 0, 4)).toBe('0:0 1:1 2:2 3:3');
    expect(shown(places, 2, 4)).toBe('0:4 1:5 2:2 3:3');
    expect(shown(places, 1, 4)).toBe('0:4 1:1 2:2 3:3');
  });

  it('all take over in their order after a jump', () => {
    const places = new Places();
    places.take(3, 3);
    expect(shown(places, 900, 3)).toBe('0:900 1:901 2:902');
  });

  it('stand in the order of their rows once they settle', () => {
    const places = new Places();
    places.take(0, 3);
    places.take(1, 3);
    expect(places.settle()).toBe(true);
    expect(shown(places, 1, 3)).toBe('1:1 2:2 0:3');
    expect(places.settle()).toBe(false);
  });

  it('are made only where there are not enough, and go where there are too many', () => {
    const places = new Places();
    places.take(10, 3);
    expect(shown(places, 11, 4)).toBe('0:13 1:11 2:12 3:14');
    expect(shown(places, 50, 2)).toBe('0:50 1:51');
  });
});
