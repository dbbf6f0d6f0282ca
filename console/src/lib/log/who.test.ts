import { describe, expect, it } from 'vitest';
import { directionFor, toCallBack, whoIn, type OfCall } from './who';

const ME = 'u_me';
const MARA = { type: 'contact', id: 'p_1', name: 'Mara Lind', company_name: 'Lind AB', label: 'mobile' };

function call(over: Partial<OfCall & { created_us: number; disposition: string | null }> = {}) {
  return {
    direction: 'inbound',
    user_id: ME,
    customer_number: '+12065550142',
    customer_display: '(206) 555-0142',
    did: '+14155550101',
    did_display: '(415) 555-0101',
    caller_raw: null,
    matches: null,
    record_id: null,
    record_type: null,
    created_us: 1,
    disposition: 'answered',
    ...over,
  };
}
const whoOf = (over: Parameters<typeof call>[0]) =>
  whoIn(call(over), ME, (user) => (user === 'u_sam' ? 'Sam' : undefined), '?');

describe('whom a call was with', () => {
  it('is the record it is filed under, else the first that has the number', () => {
    expect(
      whoOf({ matches: [{ ...MARA, id: 'p_0', name: 'Her' }, MARA], record_id: 'p_1', record_type: 'contact' }),
    ).toMatchObject({
      name: 'Mara Lind',
      company: 'Lind AB',
      display: '(206) 555-0142',
      record: { type: 'contact', id: 'p_1' },
    });
    expect(whoOf({ matches: [MARA] }).name).toBe('Mara Lind');
  });

  it('is the number where nobody is known, once', () => {
    expect(whoOf({})).toMatchObject({ name: '(206) 555-0142', display: '', record: null });
    expect(whoOf({ customer_number: null, customer_display: null }).name).toBe('?');
  });

  it('is not somebody else with the number when it was filed elsewhere', () => {
    expect(whoOf({ matches: [MARA], record_id: 'l_9', record_type: 'lead' })).toMatchObject({
      name: '(206) 555-0142',
      record: { type: 'lead', id: 'l_9' },
    });
  });

  it('is the colleague at the other end inside the house, from both ends', () => {
    expect(whoOf({ direction: 'internal', user_id: 'u_sam', caller_raw: 'Me' }).name).toBe('Sam');
    expect(whoOf({ direction: 'internal', caller_raw: 'Sam' }).name).toBe('Sam');
    expect(directionFor(call({ direction: 'internal', user_id: 'u_sam' }), ME)).toBe('outbound');
    expect(directionFor(call({ direction: 'internal' }), ME)).toBe('inbound');
  });
});

describe('calls to return', () => {
  const missed = (at: number, number = '+1') =>
    call({ created_us: at, customer_number: number, disposition: 'missed' });

  it('are those that came in vain, one per number, the newest first', () => {
    expect(toCallBack([missed(1), missed(3), missed(2, '+2')], ME).map(({ created_us }) => created_us)).toEqual([3, 2]);
  });

  it('are no longer those that were called back, or who called again and was answered', () => {
    const back = call({ created_us: 5, customer_number: '+1', direction: 'outbound', disposition: 'busy' });
    const again = call({ created_us: 6, customer_number: '+2' });
    expect(toCallBack([missed(1), missed(2, '+2'), back, again], ME)).toEqual([]);
  });

  it('are not those that came for somebody else', () => {
    expect(toCallBack([{ ...missed(1), user_id: 'u_sam' }], ME)).toEqual([]);
  });
});
