import { describe, expect, it } from 'vitest';
import { fits, fromAddress, wanted } from './filters';

describe('the filters of a list', () => {
  it('come from its address', () => {
    const filters = fromAddress(new URLSearchParams('kind=contact&owner=usr_1&sort=name&q=Mar'));
    expect(filters).toEqual({ kind: 'contact', q: 'Mar', owner: 'usr_1', status: '', company: '', sort: 'name' });
    expect(wanted(filters)).toEqual({ kind: 'contact', owner_id: 'usr_1' });
  });

  it('leave out what nobody knows', () => {
    expect(fromAddress(new URLSearchParams('kind=dog&sort=size'))).toMatchObject({ kind: 'lead', sort: 'newest' });
  });

  it('hold for what a search found, too', () => {
    const item = { owner_id: 'usr_1', status: 'new', company_id: null };
    expect(fits(item, { owner: 'usr_1', status: 'new', company: '' })).toBe(true);
    expect(fits(item, { owner: 'usr_2', status: '', company: '' })).toBe(false);
    expect(fits(item, { owner: '', status: '', company: 'co_1' })).toBe(false);
  });
});
