import { afterEach, expect, test, vi } from 'vitest';
import { setVolume, volumeOf, watchVolume } from './volume';

const stored = new Map<string, string>();
vi.stubGlobal('localStorage', {
  getItem: (key: string) => stored.get(key) ?? null,
  setItem: (key: string, value: string) => stored.set(key, value),
});
vi.stubGlobal('addEventListener', () => {});
vi.stubGlobal('removeEventListener', () => {});
afterEach(() => stored.clear());

test('everything is at its loudest until somebody turns it down, each by itself', () => {
  setVolume('ring', 0.25);
  expect([volumeOf('ring'), volumeOf('voice')]).toEqual([0.25, 1]);
});

test('what no slider could have left is as good as nothing', () => {
  stored.set('switchhook.volume.voice', 'loud');
  expect(volumeOf('voice')).toBe(1);
  setVolume('voice', 7);
  expect(volumeOf('voice')).toBe(1);
});

test('a change is told while somebody listens', () => {
  const changed = vi.fn();
  const end = watchVolume(changed);
  setVolume('ring', 0);
  end();
  setVolume('ring', 1);
  expect(changed).toHaveBeenCalledOnce();
});
