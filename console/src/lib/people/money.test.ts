import { describe, expect, it } from 'vitest';
import { fromDay, fromMicros, toDay, toMicros } from './money';

describe('an amount', () => {
  it('is read as people type it', () => {
    expect(toMicros('18,400')).toBe(18_400_000_000);
    expect(toMicros('１２００')).toBe(1_200_000_000);
    expect(toMicros('0.5')).toBe(500_000);
    expect(toMicros(' ')).toBeNull();
    expect(toMicros('much')).toBeUndefined();
  });

  it('is shown as it can be typed again', () => {
    expect(fromMicros(18_400_500_000)).toBe('18400.5');
    expect(toMicros(fromMicros(123_450_000))).toBe(123_450_000);
  });
});

describe('a closing day', () => {
  it('stays the same day wherever it is read', () => {
    expect(fromDay(toDay('2026-12-31'))).toBe('2026-12-31');
    expect(toDay('')).toBeNull();
  });
});
