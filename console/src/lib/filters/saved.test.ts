import { expect, it } from 'vitest';
import { filterIn, same } from './saved';

it('keeps what is asked, and not where somebody stands', () => {
  const address = new URLSearchParams('direction=inbound&number=&cursor=abc&from=2026-11-01');
  expect(filterIn(address)).toBe('direction=inbound&from=2026-11-01');
});

it('knows a filter whatever was chosen first', () => {
  expect(same('a=1&b=2', 'b=2&a=1')).toBe(true);
  expect(same('a=1', 'a=2')).toBe(false);
});
