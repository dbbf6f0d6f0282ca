import { describe, expect, it } from 'vitest';
import { NOTHING, type PhoneState } from '../../lib/phone/types';
import { report } from './report';

const FACTS = {
  at: new Date(0),
  page: { browser: 'Chrome' },
  engine: { milliseconds: 4 },
  events: { connected: true, last: 7 },
  statistics: {},
};

describe('a report', () => {
  it('holds no number of a customer, nor the name of a headset', () => {
    const phone: PhoneState = {
      ...NOTHING,
      registration: 'ready',
      problem: { code: 'number_invalid', data: { number: '+12065550142' } },
      devices: { ...NOTHING.devices, microphones: [{ id: 'a1', label: 'Headset of Mio' }] },
      sessions: [
        { id: 's', direction: 'in', callId: 'call_1', number: '+12065550142', state: 'up', muted: false, since: 0 },
      ],
    };
    const text = report({ ...FACTS, phone });
    expect(text).not.toMatch(/2065550142|Headset/);
    expect(JSON.parse(text)).toMatchObject({ phone: { registration: 'ready', sessions: [{ call: 'call_1' }] } });
  });

  it('says that there is no phone', () => {
    expect(JSON.parse(report({ ...FACTS, phone: null }))).toMatchObject({ phone: null, events: { last: 7 } });
  });
});
