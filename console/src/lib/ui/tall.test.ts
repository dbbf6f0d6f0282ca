import { describe, expect, it } from 'vitest';
import { MOST, Tall } from './tall';

const SEEN = 800;
const million = new Tall(60_000_000, SEEN);

describe('a list that is taller than an element may be', () => {
  it('stands in an element that every browser can make, and one that is not is as it is', () => {
    expect(million.height).toBe(MOST);
    const short = new Tall(600, SEEN);
    expect([short.height, short.shiftAt(300), short.moved(0, 300, 0)]).toEqual([600, 0, 0]);
  });

  it('has its first row at the top and its last at the bottom', () => {
    expect(million.shiftAt(-200)).toBe(0);
    const bottom = million.height - SEEN;
    expect(bottom + million.shiftAt(bottom)).toBe(million.total - SEEN);
  });

  it('finds the place of each part again', () => {
    for (const top of [0, 150_000, 200_001, 5_000_000, 33_333_333, 59_790_000, million.total - SEEN]) {
      const place = million.placeOf(top);
      expect(Math.abs(place + million.shiftAt(place) - top)).toBeLessThan(20);
    }
  });

  it('moves by what the wheel says and jumps by parts', () => {
    const shift = million.shiftAt(4_000_000);
    expect(million.moved(4_000_000, 4_000_300, shift)).toBe(shift);
    expect(million.moved(4_000_000, 6_000_000, shift)).toBe(million.shiftAt(6_000_000));
  });

  it('arrives at the first row when somebody scrolls up for good', () => {
    let place = million.placeOf(500_000);
    let shift = 500_000 - place;
    for (let step = 0; step < 10_000 && place > 0; step++) {
      const to = Math.max(0, place - 300);
      shift = million.moved(place, to, shift);
      place = to;
      if (million.stuck(place, shift)) [place, shift] = again(place + shift);
    }
    expect(place + shift).toBe(0);
  });
});

function again(top: number): [number, number] {
  const place = million.placeOf(top);
  return [place, top - place];
}
