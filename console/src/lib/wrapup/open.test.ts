import { describe, expect, it } from 'vitest';
import type { Summary } from '../live/types';
import { openSummaries } from './open';

const summary = (over: Partial<Summary>): Summary => ({
  call_id: 'c_1',
  user_id: 'u_me',
  role: 'host',
  state: 'draft',
  outcome: null,
  outcome_id: null,
  notes: '',
  deal_id: null,
  record_type: null,
  record_id: null,
  call_created_us: 1,
  call_ended_us: 2,
  created_us: 2,
  updated_us: 2,
  saved_us: null,
  ...over,
});

describe('open summaries (S1, S6)', () => {
  it('are drafts of one’s own of calls that are over, the oldest first', () => {
    const open = openSummaries(
      [
        summary({ call_id: 'c_3', call_created_us: 30 }),
        summary({ call_id: 'c_2', call_created_us: 20 }),
        summary({ call_id: 'c_4', call_ended_us: null }),
        summary({ call_id: 'c_5', state: 'saved' }),
        summary({ call_id: 'c_6', user_id: 'u_other' }),
      ],
      'u_me',
    );
    expect(open.map(({ call_id }) => call_id)).toEqual(['c_2', 'c_3']);
  });
});
