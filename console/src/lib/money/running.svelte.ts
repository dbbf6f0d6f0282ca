/** What the call in the bar costs: asked when a leg is answered or ends, reckoned by the page in between (V7). */
import { answer, api } from '../api/client';
import { since } from '../call/since.svelte';
import { live } from '../live/live.svelte';
import type { LiveCall } from '../live/types';
import { exactly, runningCost, type CallCost } from './price';

export class Running {
  #cost = $state.raw<CallCost | null>(null);
  #asked = '';

  /** As a text; null where nothing costs anything. */
  readonly text = $derived.by(() => {
    const micros = this.#cost && runningCost(this.#cost, since.now);
    return this.#cost && micros !== null ? exactly(micros, this.#cost.currency) : null;
  });

  /** To be told of the call as it stands; gives the function that ends it. */
  watch(call: LiveCall): () => void {
    const legs = call.legs.filter(({ trunk_id, answered_us }) => trunk_id && answered_us !== null);
    const state = [call.id, ...legs.map(({ id, ended_us }) => `${id} ${ended_us ?? ''}`)].join();
    if (legs.length > 0 && state !== this.#asked) {
      this.#asked = state;
      void this.#ask(call.id);
    }
    return live.on((event) => void (event.type === 'charges' && event.call_id === call.id && this.#ask(call.id)));
  }

  async #ask(call: string): Promise<void> {
    try {
      this.#cost = await answer(api.GET('/api/v1/calls/{call}/cost', { params: { path: { call } } }));
    } catch {
      this.#cost = null; // the call matters, its price can wait
    }
  }
}
