import { describe, expect, it } from 'vitest';
import { blank, changes, whole } from './draft';

describe('a record’s form', () => {
  it('sends only what was changed', () => {
    const before = blank('lead', 'usr_1', '+12065550150');
    const after = { ...structuredClone(before), name: 'Ann Lee' };
    expect(changes(before, after)).toEqual({ name: 'Ann Lee' });
    expect(changes(before, before)).toEqual({});
  });

  it('leaves out numbers, e-mails and addresses in which nothing stands', () => {
    const draft = { ...blank('contact', ''), emails: [{ label: 'work', address: ' ' }] };
    expect(whole(draft)).toMatchObject({ phones: [], emails: [], addresses: [], owner_id: null });
  });

  it('sends a number that was not touched as the engine keeps it', () => {
    const kept = { e164: '+12065550150', display: '(206) 555-0150' };
    const [same, other] = [
      { label: 'work', number: kept.display, kept },
      { label: 'home', number: '0312345678', kept },
    ];
    expect(whole({ ...blank('contact', ''), phones: [same, other] }).phones).toEqual([
      { label: 'work', number: '+12065550150' },
      { label: 'home', number: '0312345678' },
    ]);
  });

  it('names no company of a company', () => {
    expect(whole(blank('company', ''))).not.toHaveProperty('company');
  });
});
