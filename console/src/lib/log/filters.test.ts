import { describe, expect, it } from 'vitest';
import { filtersIn, midnight, queryOf } from './filters';

const asked = (address: string) => queryOf(filtersIn(new URLSearchParams(address)));

describe('what the log is asked for', () => {
  it('is everything where the address says nothing', () => {
    expect(Object.values(asked('')).filter((value) => value !== undefined)).toEqual([]);
  });

  it('stands in the address, so that it can be kept and sent (R1)', () => {
    expect(asked('direction=inbound&result=missed&user=u_1&number=+1+206&open=no')).toMatchObject({
      direction: 'inbound',
      disposition: 'missed',
      user: 'u_1',
      customer_number: '1 206',
      open: false,
    });
  });

  it('ignores what it does not know', () => {
    expect(asked('direction=sideways&from=yesterday&open=perhaps')).toEqual({});
  });

  it('goes from the first moment of a day to the last of another', () => {
    const { since_us, until_us } = asked('from=2026-03-01&to=2026-03-01');
    expect((until_us ?? 0) - (since_us ?? 0)).toBe(86_400 * 1e6);
    expect(midnight('2026-12-31', 1)).toBe(new Date(2027, 0, 1).getTime() * 1000);
  });
});
