import { describe, expect, it } from 'vitest';
import { price } from '../../messages/en/price';
import { language } from '../i18n/language.svelte';
import { costOf, exactly, rateText, runningCost, type CallCost, type Rate } from './price';

const rate = (more: Partial<Rate> = {}): Rate => ({
  currency: 'USD',
  price_micros: 60,
  setup_micros: 0,
  first_s: 60,
  then_s: 60,
  name: 'USA',
  prefix: '1',
  ...more,
});

language.m = { ...language.m, price };

describe('the price of a call', () => {
  it('counts every step that was begun, as the engine does', () => {
    const seconds = (first_s: number, then_s: number, ms: number) => costOf(rate({ first_s, then_s }), ms * 1000);
    expect([seconds(60, 60, 0), seconds(60, 60, 60_000), seconds(60, 60, 60_001)]).toEqual([60, 60, 120]);
    expect([seconds(30, 6, 1), seconds(30, 6, 30_001), seconds(1, 1, 1_001)]).toEqual([30, 36, 2]);
    expect(costOf(rate({ price_micros: 1, first_s: 1, then_s: 1, setup_micros: 7 }), 1)).toBe(8);
  });

  it('adds what runs to what is priced, and says nothing where nothing has a price', () => {
    const leg = { leg: 'leg_1', user_id: null, number: null, display: null, direction: 'outbound' as const };
    const cost = (more: Partial<CallCost>): CallCost => ({
      legs: [],
      charges: [],
      amount_micros: 0,
      currency: 'USD',
      ...more,
    });
    const up = { ...leg, answered_us: 1_000_000, ended_us: null, rate: rate() };
    expect(runningCost(cost({ legs: [up] }), 2_000_000)).toBe(60);
    expect(runningCost(cost({ legs: [{ ...up, answered_us: null }] }), 2_000_000)).toBe(0);
    expect(runningCost(cost({ legs: [{ ...up, rate: null }] }), 2_000_000)).toBeNull();
    expect(runningCost(cost({}), 2_000_000)).toBeNull();
  });

  it('is written with as many places as it has', () => {
    expect(exactly(12_500, 'USD')).toBe('$0.0125');
    expect(exactly(1_000_000, 'USD')).toBe('$1.00');
    expect(exactly(8_000_000, 'JPY')).toBe('¥8');
    expect(rateText(rate({ price_micros: 10_000, setup_micros: 2_000 }))).toBe('$0.01/min + $0.002');
  });
});
