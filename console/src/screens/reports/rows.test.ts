import { expect, test, vi } from 'vitest';
import { difference, share } from './figures';
import { daysOf, mondayOf } from './naming';
import { linesOf, marksOf, sorted, type Answer } from './rows';

vi.mock('../../lib/i18n/language.svelte', () => ({
  language: { code: 'en', m: { reports: { directions: {}, nameless: { user: 'Nobody' } } } },
}));

interface Sums {
  calls: number;
  answered: number;
}
const row = (key: string, calls: number, answered = 0, label = '') => ({ key, label, calls, answered });
const TOTAL: Sums = { calls: 0, answered: 0 };
const answerOf = (
  by: string,
  rows: Answer<Sums>['rows'],
  before: Answer<Sums>['rows'] | null = null,
): Answer<Sums> => ({
  by,
  from: '2026-11-02',
  to: '2026-11-04',
  time_zone: 'UTC',
  rows,
  total: TOTAL,
  before: before && { from: '2026-10-30', to: '2026-11-01', rows: before, total: TOTAL },
});
const CALLS = { id: 'calls', kind: 'count' as const, of: (each: Sums) => each.calls };
const RATE = { id: 'rate', kind: 'share' as const, of: (each: Sums) => share(each.answered, each.calls) };

test('a day without a call has no rate of answers', () => {
  const lines = linesOf(answerOf('day', [row('2026-11-02', 0), row('2026-11-03', 4, 1)]));
  expect(marksOf(lines, CALLS, false, () => null).map(({ parts }) => parts)).toEqual([[0], [4]]);
  expect(marksOf(lines, RATE, false, () => null).map(({ parts }) => parts)).toEqual([[null], [0.25]]);
});

test('the first day stands beside the first day before, a user beside themselves', () => {
  const days = answerOf(
    'day',
    [row('2026-11-02', 1), row('2026-11-03', 2)],
    [row('2026-10-30', 7), row('2026-10-31', 8)],
  );
  expect(marksOf(linesOf(days), CALLS, true, () => null).map(({ before }) => before)).toEqual([7, 8]);
  const users = answerOf('user', [row('a', 2), row('b', 1)], [row('b', 5), row('a', 3)]);
  expect(marksOf(linesOf(users), CALLS, true, () => null).map(({ before }) => before)).toEqual([3, 5]);
});

test('who made calls only before is listed, too', () => {
  const lines = linesOf(answerOf('user', [row('usr_1', 1, 0, 'Sam'), row('', 2)], [row('usr_2', 3, 0, 'Mio')]));
  expect(lines.map(({ name }) => name)).toEqual(['Sam', 'Nobody', 'Mio']);
  expect(lines[2]?.row).toBeNull();
});

test('weeks begin on Monday, as ISO 8601 counts them', () => {
  expect(mondayOf('2026-W48')).toBe('2026-11-23');
  expect(mondayOf('2026-W01')).toBe('2025-12-29');
  expect(mondayOf('2027-W01')).toBe('2027-01-04');
});

test('a week and a month have the days that are in the report', () => {
  const range = { from: '2026-10-28', to: '2026-12-02' };
  expect(daysOf('month', '2026-10', range)).toEqual({ from: '2026-10-28', to: '2026-10-31' });
  expect(daysOf('month', '2026-11', range)).toEqual({ from: '2026-11-01', to: '2026-11-30' });
  expect(daysOf('week', '2026-W49', range)).toEqual({ from: '2026-11-30', to: '2026-12-02' });
  expect(daysOf('hour', '9', range)).toBeNull();
});

test('a table is sorted by any figure, and what has none is last either way', () => {
  const lines = linesOf(answerOf('user', [row('a', 4, 1, 'A'), row('b', 0, 0, 'B'), row('c', 2, 2, 'C')]));
  const keys = (downwards: boolean) => sorted(lines, RATE, downwards, false).map(({ key }) => key);
  expect(keys(true)).toEqual(['c', 'a', 'b']);
  expect(keys(false)).toEqual(['a', 'c', 'b']);
  expect(sorted(lines, null, true, false).map(({ key }) => key)).toEqual(['c', 'b', 'a']);
});

test('a difference says which way and how much, and claims nothing where nothing was', () => {
  expect(difference('count', 150, 100)).toEqual({ way: 'more', by: 0.5 });
  expect(difference('time', 50, 100)).toEqual({ way: 'less', by: 0.5 });
  expect(difference('share', 0.62, 0.55)).toEqual({ way: 'more', by: 7 });
  expect(difference('share', 0.5501, 0.55)).toEqual({ way: 'same', by: 0 });
  expect(difference('count', 3, 0)).toEqual({ way: 'more', by: null });
  expect(difference('share', null, 0.5)).toBeNull();
});
