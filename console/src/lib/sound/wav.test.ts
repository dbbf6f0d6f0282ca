import { describe, expect, it } from 'vitest';
import { wav } from './wav';

describe('a WAV file', () => {
  it('says what is in it, and keeps what is too loud at full scale', async () => {
    const file = wav(new Float32Array([0, 1, -1, 2, 0.5]), 16_000);
    const view = new DataView(await file.arrayBuffer());
    const text = (at: number): string => String.fromCharCode(...[0, 1, 2, 3].map((each) => view.getUint8(at + each)));
    expect([text(0), text(8), text(36), file.type]).toEqual(['RIFF', 'WAVE', 'data', 'audio/wav']);
    expect([view.getUint32(24, true), view.getUint32(40, true), view.byteLength]).toEqual([16_000, 10, 54]);
    expect([0, 1, 2, 3, 4].map((each) => view.getInt16(44 + 2 * each, true))).toEqual([
      0, 32_767, -32_767, 32_767, 16_384,
    ]);
  });
});
