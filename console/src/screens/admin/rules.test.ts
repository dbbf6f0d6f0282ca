import { describe, expect, test } from 'vitest';
import { read, written } from './rules';

describe('rules of the law as fields', () => {
  test('what is written is read as it was, closed days and days that are as others among them', () => {
    for (const value of [
      { weekdays: ['08:00-12:00', '13:00-20:00'], sunday: [], holidays: [] },
      { weekdays: ['10:00-21:00'] },
      { weekdays: [] },
    ])
      expect(read('hours', written('hours', value))).toEqual(value);
    expect(written('hours', { weekdays: ['09:00-20:00'], sunday: [] })).toMatchObject({ saturday: '', sunday: '-' });
    const words = { stop: ['停止', '解除'], help: [], start: [], stop_reply: 'x', help_reply: 'y', start_reply: 'z' };
    expect(read('words', written('words', words))).toEqual(words);
  });

  test('numbers and yes are numbers and yes', () => {
    expect(read('refusal', { months: '60' })).toEqual({ months: 60 });
    expect(read('campaigns', { review: 'true' })).toMatchObject({ review: true });
  });
});
