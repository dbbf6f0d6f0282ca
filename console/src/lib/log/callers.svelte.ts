/** Who has a number, asked once for each (I1). */
import { answer, api, type Schemas } from '../api/client';

class Callers {
  #found = $state<Record<string, Schemas['Match'][]>>({});
  #asked = new Set<string>();

  /** Undefined until it is known. */
  of(number: string | null): Schemas['Match'][] | undefined {
    if (!number) return [];
    if (!this.#asked.has(number)) {
      this.#asked.add(number);
      queueMicrotask(() => void this.#ask(number));
    }
    return this.#found[number];
  }

  async #ask(number: string): Promise<void> {
    try {
      const { items } = await answer(api.GET('/api/v1/match', { params: { query: { number } } }));
      this.#found[number] = items;
    } catch {
      this.#asked.delete(number);
    }
  }
}

export const callers = new Callers();
