/**
 * Since when a party is held or muted, by the engine's clock: from its facts as they come, and from the call's history
 * for what was so before this page was opened.
 */
import { answer, api } from '../api/client';
import { live } from '../live/live.svelte';
import type { Fact, LiveCall } from '../live/types';
import { nowUs } from '../util/format';

export type Kind = 'held' | 'muted';

const BEGINS: Record<string, Kind> = { 'leg.held': 'held', 'leg.muted': 'muted' };
const ENDS: Record<string, Kind> = { 'leg.unheld': 'held', 'leg.unmuted': 'muted' };
/** A computer's clock is mostly right: a difference that is only the way there is none. */
const CLOCKS_DIFFER_US = 2_000_000;
const SECOND_MS = 1_000;

/** The newest beginning of each that has not ended, by leg. Facts in their order. */
export function fold(facts: Fact[], before: Record<string, number> = {}): Record<string, number> {
  const since = { ...before };
  for (const { kind, at_us, data } of facts) {
    const [begins, ends] = [BEGINS[kind], ENDS[kind]];
    if (begins) since[`${String(data.leg)} ${begins}`] ??= at_us;
    if (ends) delete since[`${String(data.leg)} ${ends}`];
  }
  return since;
}

class Since {
  /** The engine's clock, told once a second for all timers of the page. */
  now = $state(nowUs());
  #aheadUs = 0;
  #since = $state.raw<Record<string, Record<string, number>>>({});
  #asked = new Set<string>();

  constructor() {
    live.on((event) => {
      if (event.type !== 'call') return;
      this.#compare(event.facts.at(-1)?.at_us);
      const { [event.call.id]: before, ...others } = this.#since;
      this.#since = event.call.ended_us ? others : { ...others, [event.call.id]: fold(event.facts, before) };
      this.now = nowUs() + this.#aheadUs;
    });
    setInterval(() => (this.now = nowUs() + this.#aheadUs), SECOND_MS);
  }

  /** Milliseconds; null where it is not known (yet). */
  of(call: LiveCall, leg: string, kind: Kind): number | null {
    const since = this.#since[call.id]?.[`${leg} ${kind}`];
    if (since === undefined) void this.#ask(call.id);
    return since === undefined ? null : this.ms(since);
  }

  ms(since: number): number {
    return Math.max(0, (this.now - since) / 1000);
  }

  #compare(told: number | undefined): void {
    if (told === undefined) return;
    const ahead = told - nowUs();
    this.#aheadUs = Math.abs(ahead) > CLOCKS_DIFFER_US ? ahead : 0;
  }

  async #ask(call: string): Promise<void> {
    if (this.#asked.has(call)) return;
    this.#asked.add(call);
    try {
      const { timeline } = await answer(api.GET('/api/v1/calls/{call}', { params: { path: { call } } }));
      const facts = timeline.map((fact) => ({ ...fact, data: (fact.data ?? {}) as Record<string, unknown> }));
      this.#since = { ...this.#since, [call]: fold(facts) };
    } catch {
      this.#asked.delete(call); // the timer is left out until it can be asked again
    }
  }
}

export const since = new Since();
