import { describe, expect, it } from 'vitest';
import { fits, lineOf, ruleOf } from './retry';

describe('a rule for calling again', () => {
  it('is shown in the largest unit that says it whole', () => {
    const shown = (after_minutes: number) => lineOf({ on: 'busy', after_minutes, calls: 3 }, 1);
    expect([shown(45), shown(90), shown(240), shown(2880)].map(({ wait, unit }) => `${wait} ${unit}`)).toEqual([
      '45 minutes',
      '90 minutes',
      '4 hours',
      '2 days',
    ]);
  });

  it('is sent as it came', () => {
    for (const after_minutes of [1, 59, 60, 61, 1440, 4320]) {
      const rule = { on: 'no_answer', after_minutes, calls: 4 };
      expect(ruleOf(lineOf(rule, 0))).toEqual(rule);
    }
  });

  it('needs numbers', () => {
    const line = { key: 0, on: 'busy', wait: '2', unit: 'hours', calls: '3' } as const;
    expect(fits(line)).toBe(true);
    for (const wrong of [
      { wait: '' },
      { wait: 'soon' },
      { wait: '0' },
      { calls: '' },
      { calls: '1.5' },
      { calls: '-1' },
    ])
      expect(fits({ ...line, ...wrong }), JSON.stringify(wrong)).toBe(false);
  });

  it('may be half an hour', () => {
    expect(ruleOf({ key: 0, on: 'busy', wait: '0.5', unit: 'hours', calls: '2' }).after_minutes).toBe(30);
  });
});
