import { describe, expect, it } from 'vitest';
import { fieldOf, gathered, spread, titleOf } from './options';

describe('fields that the engine describes', () => {
  it('are spread out for the form and put together again for the engine', () => {
    const item = { name: 'x', options: { host: 'a', port: 1 } };
    expect(spread(item, 'options')).toMatchObject({ name: 'x', 'options.host': 'a', 'options.port': 1 });
    expect(gathered({ name: 'y', 'options.host': 'b', 'options.tls': '' })).toEqual({
      name: 'y',
      options: { host: 'b', tls: null },
    });
  });

  it('keep what was not changed where an object is sent as a whole', () => {
    expect(gathered({ 'details.city': 'Osaka' }, { details: { city: 'Kyoto', zip: '1' } })).toEqual({
      details: { city: 'Osaka', zip: '1' },
    });
  });

  it('become the control that fits', () => {
    const plain = { description: '', required: false, choices: [], default: null };
    expect(fieldOf('options', { ...plain, name: 'tls', default: false }).kind).toBe('switch');
    expect(fieldOf('secrets', { ...plain, name: 'password', secret: true }).kind).toBe('password');
    expect(fieldOf('options', { ...plain, name: 'provider', choices: ['a'], required: true }).choices).toHaveLength(1);
    expect(titleOf('system_id')).toBe('System id');
    expect(titleOf('companyName')).toBe('Company Name');
  });
});
