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
export function fold(facts: Fact[]): Record<string, number> {
  const since: Record<string, number> = {};
  for (const { kind, at_us, data } of facts) {
    const [begins, ends] = [BEGINS[kind], ENDS[kind]];
    if (begins) since[`${String(data.leg)} ${begins}`] ??= at_us;
    if (ends) delete since[`${String(data.leg)} ${ends}`];
  }
  return since;
}

/** Facts may come twice, and history after what is newer than it: their numbers put them in order. */
export function merged(known: Fact[], more: Fact[]): Fact[] {
  const all = new Map([...known, ...more].map((fact) => [fact.seq, fact]));
  const told = [...all.values()].filter(({ kind }) => kind in BEGINS || kind in ENDS);
  return told.sort((one, other) => one.seq - other.seq);
}

class Since {
  /** The engine's clock, told once a second for all timers of the page. */
  now = $state(nowUs());
  #aheadUs = 0;
  #facts = $state.raw<Record<string, Fact[]>>({});
  #asked = new Set<string>();

  constructor() {
    live.on((event) => {
      if (event.type !== 'call') return;
      this.#compare(event.facts.at(-1)?.at_us);
      const { [event.call.id]: known, ...others } = this.#facts;
      this.#facts = event.call.ended_us ? others : { ...others, [event.call.id]: merged(known ?? [], event.facts) };
      this.now = nowUs() + this.#aheadUs;
    });
    setInterval(() => (this.now = nowUs() + this.#aheadUs), SECOND_MS);
  }

  /** Milliseconds; null where it is not known (yet). */
  of(call: LiveCall, leg: string, kind: Kind): number | null {
    const since = fold(this.#facts[call.id] ?? [])[`${leg} ${kind}`];
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
      this.#facts = { ...this.#facts, [call]: merged(this.#facts[call] ?? [], facts) };
    } catch {
      this.#asked.delete(call); // the timer is left out until it can be asked again
    }
  }
}

export const since = new Since();
