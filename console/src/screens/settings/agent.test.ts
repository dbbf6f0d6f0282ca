import { describe, expect, it } from 'vitest';
import { readAgent } from './agent';

describe('a browser', () => {
  it('is told by its name and system', () => {
    const chrome = 'Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 Chrome/130.0 Safari/537.36';
    const iphone = 'Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Version/18.0 Mobile Safari/604.1';
    expect(readAgent(chrome)).toEqual({ browser: 'Chrome', system: 'Windows' });
    expect(readAgent(iphone)).toEqual({ browser: 'Safari', system: 'iOS' });
    expect(readAgent('curl/8')).toEqual({ browser: '', system: '' });
  });
});
