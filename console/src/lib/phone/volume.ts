/** How loud it rings and how loud the others are heard, 0 to 1: kept in this browser and the same in each of its tabs. */
import { keep, kept } from '../util/kept';

export type Heard = 'ring' | 'voice';

const watchers = new Set<() => void>();
const keyOf = (heard: Heard): string => `switchhook.volume.${heard}`;

export function volumeOf(heard: Heard): number {
  const value = Number(kept(keyOf(heard)) ?? 1);
  return value >= 0 && value <= 1 ? value : 1;
}

export function setVolume(heard: Heard, value: number): void {
  keep(keyOf(heard), String(Math.min(1, Math.max(0, value))));
  for (const changed of watchers) changed();
}

/** Called for each change, of other tabs too. Returns what ends that. */
export function watchVolume(changed: () => void): () => void {
  watchers.add(changed);
  addEventListener('storage', changed);
  return () => {
    watchers.delete(changed);
    removeEventListener('storage', changed);
  };
}
