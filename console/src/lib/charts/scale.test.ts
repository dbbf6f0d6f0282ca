import { expect, test } from 'vitest';
import { counted, every, level, timed } from './scale';

test('what is counted has whole and round marks, up to the highest value or a little more', () => {
  expect(counted(37)).toEqual({ ticks: [0, 10, 20, 30, 40], max: 40 });
  expect(counted(3)).toEqual({ ticks: [0, 1, 2, 3], max: 3 });
  expect(counted(1_234_567).ticks).toEqual([0, 500_000, 1_000_000, 1_500_000]);
  for (const highest of [1, 4, 5, 7, 19, 99, 101, 12_345]) {
    const { ticks, max } = counted(highest);
    expect(max).toBeGreaterThanOrEqual(highest);
    expect(ticks.length).toBeLessThanOrEqual(6);
    expect(ticks.every(Number.isInteger)).toBe(true);
  }
});

test('an axis of nothing still has an end', () => {
  expect(counted(0)).toEqual({ ticks: [0, 1], max: 1 });
  expect(timed(0)).toEqual({ ticks: [0, 1], max: 1 });
});

test('times have the marks of a clock, and many hours those of a number', () => {
  expect(timed(55).ticks).toEqual([0, 15, 30, 45, 60]);
  expect(timed(50 * 60).ticks).toEqual([0, 900, 1_800, 2_700, 3_600]);
  expect(timed(7 * 3_600).ticks).toEqual([0, 7_200, 14_400, 21_600, 28_800]);
  expect(timed(1_000 * 3_600).ticks.map((each) => each / 3_600)).toEqual([0, 500, 1_000]);
});

test('labels are left out where they would stand on one another', () => {
  expect(every(7, 700, 60)).toBe(1);
  expect(every(31, 300, 48)).toBe(6);
  expect(every(366, 10, 48)).toBe(366);
});

test('any call at all can be told from none, and the most is the strongest', () => {
  expect([0, 1, 20, 21, 100].map((value) => level(value, 100))).toEqual([0, 1, 1, 2, 5]);
  expect(level(3, 0)).toBe(0);
});
