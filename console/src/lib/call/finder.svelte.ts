/**
 * Search as it is typed. What is shown is always of the text that stands in the field: while an answer is on its way there
 * is nothing to choose, so that Enter never dials what was (CONSOLE.md, trap 10).
 */
import { answer, api } from '../api/client';
import { sentence } from '../ui/toasts.svelte';
import { personOptions, typedOption, type Option } from './options';

const PAUSE_MS = 40;
const MOST = 8;

export class Finder {
  text = $state('');
  #found = $state.raw<{ text: string; options: Option[]; rate?: Option['rate'] }>({ text: '', options: [] });
  problem = $state<string | null>(null);
  #asking: AbortController | null = null;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /** Whether what is shown is of another text, and there is more to come. */
  readonly waiting = $derived(this.text.trim() !== '' && this.#found.text !== this.text.trim());
  readonly options = $derived([...this.#typed(), ...(this.waiting ? [] : this.#found.options)]);
  /** Shown dimmed until the new ones have come, so that the list does not jump. */
  readonly before = $derived(this.waiting ? this.#found.options : []);

  type(text: string): void {
    this.text = text;
    clearTimeout(this.#timer);
    this.#asking?.abort();
    const wanted = text.trim();
    if (wanted === '') this.#found = { text: '', options: [] };
    else this.#timer = setTimeout(() => void this.#ask(wanted), PAUSE_MS);
  }

  #typed(): Option[] {
    const rate = this.waiting ? undefined : this.#found.rate;
    return typedOption(this.text).map((option) => ({ ...option, rate }));
  }

  /** Of a number as it was typed; what is none yet has no price. */
  async #price(to: string, signal: AbortSignal): Promise<Option['rate']> {
    try {
      const { rate } = await answer(api.GET('/api/v1/price', { params: { query: { to } }, signal }));
      return rate ?? undefined;
    } catch {
      return undefined;
    }
  }

  async #ask(wanted: string): Promise<void> {
    const asking = new AbortController();
    this.#asking = asking;
    const { signal } = asking;
    try {
      const params = { query: { q: wanted, limit: MOST } };
      const [{ items }, rate] = await Promise.all([
        answer(api.GET('/api/v1/search', { params, signal })),
        typedOption(wanted).length > 0 ? this.#price(wanted, signal) : undefined,
      ]);
      if (signal.aborted) return;
      this.#found = { text: wanted, options: personOptions(items), rate };
      this.problem = null;
    } catch (error) {
      if (signal.aborted) return;
      this.#found = { text: wanted, options: [] };
      this.problem = sentence(error);
    }
  }
}
