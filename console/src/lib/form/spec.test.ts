import { describe, expect, it } from 'vitest';
import { changed, type FieldSpec, initialOf, valuesOf } from './spec';

const FIELDS: FieldSpec[] = [
  { name: 'name', label: 'Name', kind: 'text', required: true },
  { name: 'forwarding_number', label: 'Forwarding', kind: 'text', nullable: true },
  { name: 'max_concurrent', label: 'Calls', kind: 'integer' },
  { name: 'password', label: 'Password', kind: 'password' },
  { name: 'members', label: 'Members', kind: 'several' },
];

describe('a form', () => {
  it('sends only what was changed', () => {
    const before = valuesOf(FIELDS, { name: 'Mio', forwarding_number: '+1', max_concurrent: null, members: ['u_1'] });
    expect(changed(FIELDS, { ...before, name: 'Mia' }, before)).toEqual({ name: 'Mia' });
    expect(changed(FIELDS, { ...before, members: [] }, before)).toEqual({ members: [] });
  });

  it('sends an emptied field as none, and a password only where one was entered', () => {
    const before = valuesOf(FIELDS, { name: 'Mio', forwarding_number: '+1', max_concurrent: 3, members: [] });
    const after = { ...before, forwarding_number: '', max_concurrent: '', password: '' };
    expect(changed(FIELDS, after, before)).toEqual({ forwarding_number: null, max_concurrent: null });
  });

  it('begins empty', () => {
    expect(FIELDS.map(initialOf)).toEqual(['', '', '', '', []]);
  });
});
