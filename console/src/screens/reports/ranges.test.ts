import { expect, test } from 'vitest';
import { dayIn, days, monday, plus, rangeOf, todayIn, weekday } from './ranges';

test('a preset goes up to today, and last month is whole', () => {
  const today = '2026-11-26';
  expect(rangeOf('today', today)).toEqual({ from: today, to: today });
  expect(rangeOf('week', today)).toEqual({ from: '2026-11-23', to: today });
  expect(rangeOf('month', today)).toEqual({ from: '2026-11-01', to: today });
  expect(rangeOf('last_month', today)).toEqual({ from: '2026-10-01', to: '2026-10-31' });
  expect(rangeOf('quarter', today)).toEqual({ from: '2026-10-01', to: today });
});

test('months and quarters are found at the turns of the year', () => {
  expect(rangeOf('last_month', '2027-01-31')).toEqual({ from: '2026-12-01', to: '2026-12-31' });
  expect(rangeOf('last_month', '2028-03-31')).toEqual({ from: '2028-02-01', to: '2028-02-29' });
  expect(rangeOf('quarter', '2027-01-01').from).toBe('2027-01-01');
  expect(rangeOf('quarter', '2026-09-30').from).toBe('2026-07-01');
});

test('a Sunday belongs to the week that began on Monday', () => {
  expect(weekday('2026-11-29')).toBe(7);
  expect(monday('2026-11-29')).toBe('2026-11-23');
  expect(rangeOf('week', '2026-11-29').from).toBe('2026-11-23');
});

test('which day it is depends on the place', () => {
  const now = new Date('2026-11-25T23:30:00Z');
  expect(todayIn('Asia/Tokyo', now)).toBe('2026-11-26');
  expect(todayIn('America/Los_Angeles', now)).toBe('2026-11-25');
});

test('days are counted over changes of the clock, and both ends count', () => {
  expect(days({ from: '2026-10-01', to: '2026-10-31' })).toBe(31);
  expect(days({ from: '2026-11-26', to: '2026-11-26' })).toBe(1);
  expect(plus('2026-10-24', 2)).toBe('2026-10-26');
});

test('an address names a day that exists, or none', () => {
  expect(dayIn('2026-02-28')).toBe('2026-02-28');
  for (const text of ['2026-02-30', '26-2-1', 'yesterday', '', null]) expect(dayIn(text)).toBeNull();
});
