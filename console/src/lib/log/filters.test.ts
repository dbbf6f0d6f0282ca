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

  it('knows hours, weekdays and teams as reports do, by the clock of the place', () => {
    const { hour, weekday, team, time_zone } = queryOf(
      filtersIn(new URLSearchParams('hour=9&weekday=2&team=g_1')),
      'Asia/Tokyo',
    );
    expect([hour, weekday, team, time_zone]).toEqual([9, 2, 'g_1', 'Asia/Tokyo']);
    expect(asked('hour=24&weekday=0')).toEqual({});
  });

  it('goes from the first moment of a day to the last of another', () => {
    const { since_us, until_us } = asked('from=2026-03-01&to=2026-03-01');
    expect((until_us ?? 0) - (since_us ?? 0)).toBe(86_400 * 1e6);
    expect(midnight('2026-12-31', 1)).toBe(new Date(2027, 0, 1).getTime() * 1000);
  });

  it('has the days of another place where the address names one, also when clocks are changed', () => {
    const days = (address: string) => queryOf(filtersIn(new URLSearchParams(address)), 'Europe/Berlin');
    expect(days('from=2026-11-26&to=2026-11-26')).toMatchObject({
      since_us: Date.UTC(2026, 10, 25, 23) * 1000,
      until_us: Date.UTC(2026, 10, 26, 23) * 1000,
    });
    const { since_us, until_us } = days('from=2026-03-29&to=2026-03-29');
    expect((until_us ?? 0) - (since_us ?? 0)).toBe(23 * 3_600 * 1e6);
    expect(midnight('2026-11-26', 0, 'America/Los_Angeles')).toBe(Date.UTC(2026, 10, 26, 8) * 1000);
    expect(midnight('2026-11-26', 0, 'Nowhere/Else')).toBe(midnight('2026-11-26', 0));
  });
});
