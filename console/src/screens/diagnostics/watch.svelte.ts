/** Asks the engine and the phone again and again while the page is looked at. */
import { answer, api } from '../../lib/api/client';
import type { PhoneStatistics } from '../../lib/phone/types';
import { voice } from '../../lib/voice.svelte';

const ENGINE_EVERY_MS = 5_000;
const PHONE_EVERY_MS = 1_000;

export class Watch {
  /** Of the last question to the engine; null: no answer, undefined: not asked yet. */
  milliseconds = $state<number | null | undefined>(undefined);
  statistics = $state.raw<Record<string, PhoneStatistics>>({});

  start(): () => void {
    void this.#askEngine();
    const engine = setInterval(() => void this.#askEngine(), ENGINE_EVERY_MS);
    const phone = setInterval(() => void this.#askPhone(), PHONE_EVERY_MS);
    return () => [engine, phone].forEach(clearInterval);
  }

  async #askEngine(): Promise<void> {
    const began = performance.now();
    try {
      await answer(api.GET('/api/v1/session'));
      this.milliseconds = Math.round(performance.now() - began);
    } catch {
      this.milliseconds = null;
    }
  }

  async #askPhone(): Promise<void> {
    const found: Record<string, PhoneStatistics> = {};
    for (const { id } of voice.phone.sessions) {
      const told = await voice.device.statistics(id).catch(() => null); // it has ended just now
      if (told) found[id] = told;
    }
    this.statistics = found;
  }
}
