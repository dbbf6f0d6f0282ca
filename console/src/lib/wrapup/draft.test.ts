import { describe, expect, it } from 'vitest';
import type { Schemas } from '../api/client';
import { afterSending, isEmpty, merged, NOTHING, readKept } from './draft';

const summary: Schemas['Summary'] = {
  call_id: 'c_1',
  user_id: 'u_1',
  role: 'host',
  state: 'draft',
  outcome: null,
  outcome_id: null,
  notes: 'Calls back',
  deal_id: null,
  record_type: 'lead',
  record_id: 'l_1',
  call_created_us: 1,
  call_ended_us: 2,
  created_us: 2,
  updated_us: 3,
  saved_us: null,
};

describe('a draft', () => {
  it('shows what was typed over what the engine has (S6)', () => {
    expect(merged(summary, { notes: 'Calls back on Monday' })).toEqual({
      ...NOTHING,
      notes: 'Calls back on Monday',
      record_id: 'l_1',
    });
  });

  it('begins empty before the engine was asked', () => {
    expect(merged(null, {})).toEqual(NOTHING);
  });

  it('keeps what was taken away as taken away', () => {
    expect(merged(summary, { record_id: null }).record_id).toBeNull();
  });

  it('keeps to be sent what was typed while the last words were on their way', () => {
    const left = afterSending({ notes: 'abc', outcome_id: 'out_1' }, { notes: 'ab', outcome_id: 'out_1' });
    expect(left).toEqual({ notes: 'abc' });
    expect(isEmpty(afterSending({ notes: 'abc' }, { notes: 'abc' }))).toBe(true);
  });

  it('survives a reload as far as it can be read', () => {
    expect(readKept('{"notes":"abc","outcome_id":null,"else":1,"deal_id":7}')).toEqual({
      notes: 'abc',
      outcome_id: null,
    });
    expect(readKept('{"notes":null}')).toEqual({});
    expect(readKept('not JSON')).toEqual({});
    expect(readKept(null)).toEqual({});
  });
});
