import { describe, expect, it } from 'vitest';
import { clock, relative } from './format';

describe('a duration', () => {
  it('is read as minutes and seconds (V7)', () => {
    expect(clock(101_000)).toBe('1:41');
    expect(clock(0)).toBe('0:00');
    expect(clock(-5)).toBe('0:00');
  });

  it('has hours only where there are some', () => {
    expect(clock(3_723_000)).toBe('1:02:03');
  });
});

describe('a time beside now', () => {
  it('is said in the largest unit that fits', () => {
    expect(relative(0, 3 * 60 * 1e6)).toBe('3 minutes ago');
    expect(relative(2 * 86_400 * 1e6, 0)).toBe('in 2 days');
  });
});
