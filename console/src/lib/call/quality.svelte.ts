/** How good the line of a call in this browser is, asked every few seconds for as long as a component shows it. */
import type { Quality } from '../phone/types';
import { voice } from '../voice.svelte';

const EVERY_MS = 4_000;

export class LineQuality {
  /** null: not known, or the call sounds on another phone. */
  now = $state<Quality | null>(null);

  /** `sound` is the session of the phone; call it in an effect. */
  watch(sound: string | null): (() => void) | undefined {
    this.now = null;
    if (sound === null) return undefined;
    const timer = setInterval(() => void this.#ask(sound), EVERY_MS);
    return () => clearInterval(timer);
  }

  async #ask(sound: string): Promise<void> {
    try {
      this.now = (await voice.device.statistics(sound)).quality;
    } catch {
      this.now = null; // the call is over, or its tab is
    }
  }
}
