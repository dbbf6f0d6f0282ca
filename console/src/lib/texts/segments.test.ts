import { describe, expect, it } from 'vitest';
import { count } from './segments';

describe('the count of segments', () => {
  it('is that of the 7-bit alphabet where every character is in it', () => {
    expect(count('')).toEqual({ encoding: 'gsm7', characters: 0, segments: 0, left: 160 });
    expect(count('a'.repeat(160))).toMatchObject({ segments: 1, left: 0 });
    expect(count('a'.repeat(161))).toMatchObject({ segments: 2, left: 145 });
  });

  it('takes two places for the extension table, and cuts none of them in two', () => {
    expect(count('€'.repeat(80))).toMatchObject({ segments: 1, left: 0 });
    expect(count('a'.repeat(152) + '€' + 'a'.repeat(10))).toMatchObject({ segments: 2, left: 141 });
  });

  it('doubles the price of a text for one curly quote', () => {
    expect(count('’' + 'a'.repeat(99))).toMatchObject({ encoding: 'ucs2', segments: 2 });
    expect(count("'" + 'a'.repeat(99))).toMatchObject({ encoding: 'gsm7', segments: 1 });
  });

  it('counts an emoji as one character and two units, and does not cut it', () => {
    expect(count('👍')).toEqual({ encoding: 'ucs2', characters: 1, segments: 1, left: 68 });
    expect(count('あ'.repeat(66) + '👍あああ')).toMatchObject({ segments: 2, left: 62 });
  });
});
