import { describe, expect, it } from 'vitest';
import { NOTHING, type PhoneState } from '../phone/types';
import { conditionOf } from './condition';
import { colleagueOptions, isNumber, moved, personOptions, recentOptions, typedOption, type Option } from './options';
import { fold, merged } from './since.svelte';
import { soundOf } from './sound';

describe('what is typed', () => {
  it('is a number in any notation, and no name is one', () => {
    for (const text of ['+1 206-555-0157', '(206) 555-0157', '０３－１２３４', '110', '*69'])
      expect(isNumber(text), text).toBe(true);
    for (const text of ['mar', '12', 'Room 101', '']) expect(isNumber(text), text).toBe(false);
  });

  it('is dialled as digits and shown as typed', () => {
    expect(typedOption('+1 206-555-0157')[0]).toMatchObject({ number: '+12065550157', display: '+1 206-555-0157' });
  });
});

describe('who is offered', () => {
  const record = (more: object): never =>
    ({
      record: { id: 'p_1', kind: 'contact', name: 'Mara', title: '', company_name: '', phones: [], ...more },
      number: null,
      prices: {},
    }) as never;
  const phones = [
    { label: 'mobile', e164: '+1', display: '1' },
    { label: 'work', e164: '+2', display: '2' },
  ];

  it('is listed with each number, labelled (V3)', () => {
    expect(personOptions([record({ phones })]).map(({ label }) => label)).toEqual(['mobile', 'work']);
  });

  it('stands with the number first that was looked for', () => {
    const hit = { ...(record({ phones }) as object), number: '+2' } as never;
    expect(personOptions([hit])[0]?.number).toBe('+2');
  });

  it('is last without a number, and not to be chosen', () => {
    const options = personOptions([record({}), record({ id: 'p_2', phones })]);
    expect(options.at(-1)?.none).toBe(true);
    expect(moved(options, 1, 1)).toBe(0);
    expect(moved(options, 0, -1)).toBe(1);
  });

  it('is a colleague by any part of the name, but never oneself', () => {
    const team = [
      { id: 'u_1', name: 'Sam Carter', active: true, number: '+1415', display: '415' },
      { id: 'u_2', name: 'Samira', active: true, number: null, display: null },
    ] as never;
    expect(colleagueOptions(team, 'cart', 'u_2').map(({ name }) => name)).toEqual(['Sam Carter']);
    expect(colleagueOptions(team, 'sam', 'u_1').map(({ name }) => name)).toEqual(['Samira']);
  });

  it('is one line for several calls with the same number', () => {
    const call = { id: 'c_1', customer_number: '+1', customer_display: '1', direction: 'outbound', matches: null };
    expect(recentOptions([call, { ...call, id: 'c_2' }] as never)).toHaveLength(1);
  });

  it('is chosen by arrows round and round', () => {
    const options = [{ id: 'a' }, { id: 'b' }] as Option[];
    expect([moved(options, -1, 1), moved(options, -1, -1), moved(options, 1, 1)]).toEqual([0, 1, 0]);
  });
});

describe('since when', () => {
  const fact = (seq: number, kind: string): never => ({ seq, kind, at_us: seq, data: { leg: 'l' } }) as never;

  it('is the beginning that has not ended', () => {
    expect(fold([fact(1, 'leg.held'), fact(2, 'leg.unheld'), fact(3, 'leg.held')])).toEqual({ 'l held': 3 });
  });

  it('does not depend on whether history or news comes first', () => {
    const [old, fresh] = [[fact(1, 'leg.muted'), fact(2, 'leg.unmuted')], [fact(3, 'leg.muted')]];
    expect(fold(merged(fresh, old))).toEqual(fold(merged(old, fresh)));
  });
});

describe('the sound of a call', () => {
  const call = (id: string, number: string, more: object = {}): never =>
    ({
      id,
      direction: 'outbound',
      caller_raw: number,
      created_us: 1,
      legs: [{ device_id: 'd', ended_us: null }],
      ...more,
    }) as never;
  const out = (id: string, number: string): never => ({ id, direction: 'out', callId: null, number }) as never;
  const phone = (...sessions: never[]): PhoneState => ({ ...NOTHING, deviceId: 'd', sessions });

  it('is found by its number where the phone calls two', () => {
    const calls = [call('c_1', '+1555'), call('c_2', '+1666')];
    const state = phone(out('s_2', '+1666'), out('s_1', '+1555'));
    expect(calls.map((each) => soundOf(each, calls, state)?.id)).toEqual(['s_1', 's_2']);
  });

  it('is found by the order of two calls to the same number', () => {
    const calls = [call('c_2', '1', { created_us: 2 }), call('c_1', '1')];
    const state = phone(out('s_1', '1'), out('s_2', '1'));
    expect(calls.map((each) => soundOf(each, calls, state)?.id)).toEqual(['s_2', 's_1']);
  });

  it('is nowhere here for a call on another phone', () => {
    const calls = [call('c_1', '1', { legs: [{ device_id: 'desk', ended_us: null }] })];
    expect(soundOf(calls[0] as never, calls, phone(out('s_1', '1')))).toBeNull();
  });

  it('is named by a call that came', () => {
    const came = call('c_1', '1', { direction: 'inbound' });
    const session = { id: 's', direction: 'in', callId: 'c_1', number: '1' } as never;
    expect(soundOf(came, [came], phone(session))?.id).toBe('s');
  });
});

describe('the state of the phone', () => {
  const ready = { ...NOTHING, registration: 'ready' as const, sound: 'unlocked' as const };

  it('is what a person has to act on first', () => {
    expect(conditionOf('off', NOTHING)).toBe('off');
    expect(conditionOf('on', { ...ready, microphone: 'denied' })).toBe('microphone');
    expect(conditionOf('on', { ...ready, registration: 'elsewhere', microphone: 'denied' })).toBe('elsewhere');
    expect(conditionOf('on', { ...ready, sound: 'locked' })).toBe('muffled');
    expect(conditionOf('on', ready, false)).toBe('away');
    expect(conditionOf('on', ready)).toBe('ready');
  });
});
