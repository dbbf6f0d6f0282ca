import { expect, test } from 'vitest';
import { browserOf, finalClosing, microphoneRefused, openingRefused } from './problems';

const CHROME = 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/156.0.0.0 Safari/537.36';

test('a connection that only broke is made again, one that was closed for good is not', () => {
  for (const code of [undefined, 1000, 1001, 1006, 1009, 1012, 1013]) expect(finalClosing(code)).toBeNull();
  expect(finalClosing(4401)?.code).toBe('signed_out');
  expect(finalClosing(4409)?.code).toBe('phone_elsewhere');
  expect(finalClosing(4403, 'This is not one SIP message.')).toEqual({
    code: 'forbidden',
    data: { reason: 'This is not one SIP message.' },
  });
});

test('the engine is asked again unless it has said that nobody is signed in', () => {
  expect(openingRefused({ status: 401 })).toEqual({ problem: { code: 'signed_out', data: {} }, passing: false });
  expect(openingRefused({ status: 403 }).passing).toBe(false);
  expect(openingRefused({ status: 503 })).toEqual({
    problem: { code: 'engine_away', data: { status: 503 } },
    passing: true,
  });
  expect(openingRefused(new TypeError('Failed to fetch')).problem.data).toEqual({ status: 0 });
});

test.each([
  [CHROME, 'chrome'],
  [CHROME + ' Edg/156.0.0.0', 'edge'],
  ['Mozilla/5.0 (X11; Linux x86_64; rv:150.0) Gecko/20100101 Firefox/150.0', 'firefox'],
  [
    'Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/19.0 Safari/605.1.15',
    'safari',
  ],
  ['curl/8', 'other'],
])('the browser is told by its own name: %s', (userAgent, browser) => {
  expect(browserOf(userAgent)).toBe(browser);
});

test.each([
  ['NotAllowedError', 'Permission denied', 'denied', { browser: 'chrome', by: 'user' }],
  ['NotAllowedError', 'Permission denied by system', 'denied', { browser: 'chrome', by: 'system' }],
  ['SecurityError', '', 'denied', { browser: 'chrome', by: 'policy' }],
  ['NotFoundError', 'Requested device not found', 'missing', {}],
  ['NotReadableError', 'Could not start audio source', 'busy', {}],
])('a microphone that fails with %s (%s) is %s', (name, message, state, data) => {
  const refused = microphoneRefused(new DOMException(message, name), CHROME);
  expect(refused.state).toBe(state);
  expect(refused.problem.data).toEqual(data);
});
