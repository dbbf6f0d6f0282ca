import { describe, expect, it } from 'vitest';
import type { Schemas } from '../../lib/api/client';
import { signedMicros } from './amount';
import { stateOf } from './tables';

const table = (id: string, since: number, more: Partial<Schemas['RateTable']> = {}): Schemas['RateTable'] => ({
  id,
  name: id,
  direction: 'outbound',
  trunk_id: null,
  currency: 'USD',
  valid_from_us: since,
  valid_until_us: null,
  prefixes: 1,
  active: true,
  created_us: 0,
  updated_us: 0,
  ...more,
});

describe('which table holds', () => {
  it('is the one that began last and has not ended', () => {
    const all = [
      table('old', 1),
      table('new', 5),
      table('sale', 6, { valid_until_us: 8 }),
      table('next', 20),
      table('own', 2, { trunk_id: 'tr_a' }),
    ];
    expect(all.map((each) => stateOf(each, all, 10))).toEqual(['replaced', 'holds', 'over', 'later', 'holds']);
    expect(all.map((each) => stateOf(each, all, 7))).toEqual(['replaced', 'replaced', 'holds', 'later', 'holds']);
  });
});

describe('an amount as it is typed', () => {
  it('may have a minus, and is nothing where it is none', () => {
    expect(['50', '-12.50', '−3', '１２', '0', 'x', ''].map(signedMicros)).toEqual([
      50_000_000,
      -12_500_000,
      -3_000_000,
      12_000_000,
      undefined,
      undefined,
      undefined,
    ]);
  });
});
