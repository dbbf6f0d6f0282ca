import { describe, expect, it } from 'vitest';
import { asInput, dueAt } from './due';

const now = new Date(2026, 11, 31, 16, 20, 30);
const at = (us: number | null): string => (us === null ? '' : asInput(us));

describe('when a task is due (S5)', () => {
  it('is in an hour, tomorrow morning, or in a week', () => {
    expect(at(dueAt('hour', '', now))).toBe('2026-12-31T17:20');
    expect(at(dueAt('tomorrow', '', now))).toBe('2027-01-01T09:00');
    expect(at(dueAt('week', '', now))).toBe('2027-01-07T09:00');
  });

  it('is any other moment, once it is written', () => {
    expect(at(dueAt('own', '2027-02-03T10:15', now))).toBe('2027-02-03T10:15');
    expect(dueAt('own', '', now)).toBeNull();
    expect(dueAt('own', '2027-99', now)).toBeNull();
  });
});
