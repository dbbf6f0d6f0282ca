/** One conversation as it is read: its texts, the oldest above, with what happens meanwhile. */
import { answer, api, type Schemas } from '../api/client';
import { live } from '../live/live.svelte';
import type { LiveEvent } from '../live/types';
import { session } from '../session.svelte';
import { Pages } from '../util/loaded.svelte';
import type { Conversation, Text } from './who';

export class Thread {
  readonly pages: Pages<Text>;
  conversation = $state.raw<Conversation>() as Conversation;
  optOut = $state.raw<Schemas['OptOut'] | null>(null);
  readonly oldestFirst = $derived.by(() => [...this.pages.items].reverse());
  /** Told of while the page is on its way, which may have been read before that. */
  readonly #meanwhile = new Map<string, Text>();

  constructor(conversation: Conversation) {
    this.conversation = conversation;
    this.pages = new Pages((cursor) => {
      const params = {
        path: { conversation: this.conversation.id },
        query: { cursor: cursor ?? undefined, limit: 50 },
      };
      return answer(api.GET('/api/v1/conversations/{conversation}/texts', { params }));
    });
  }

  get mine(): boolean {
    return this.conversation.user_id === session.me.id;
  }

  /** Gives the function that ends it. */
  start(): () => void {
    void this.#load();
    return live.on(
      (event) => this.#happened(event),
      () => void this.#load(),
    );
  }

  #happened(event: LiveEvent): void {
    const { id } = this.conversation;
    if (event.type === 'text' && event.text.conversation_id === id) this.#heard(event.text);
    if ((event.type === 'text' || event.type === 'conversation') && event.conversation.id === id)
      this.conversation = event.conversation;
  }

  async #load(): Promise<void> {
    this.#meanwhile.clear();
    void this.#lookForRefusal();
    await this.pages.begin();
    for (const text of this.#meanwhile.values()) this.#put(text);
  }

  #heard(text: Text): void {
    if (!this.pages.ready) this.#meanwhile.set(text.id, text);
    this.#put(text);
    if (text.direction === 'in') void this.#lookForRefusal();
  }

  #put(text: Text): void {
    const known = this.pages.items.some(({ id }) => id === text.id);
    this.pages.items = known
      ? this.pages.items.map((each) => (each.id === text.id ? text : each))
      : [text, ...this.pages.items].sort((one, other) => other.seq - one.seq);
  }

  /** As it was accepted. What became of it may have been told before the answer came. */
  sent(text: Text): void {
    if (!this.pages.items.some(({ id }) => id === text.id)) this.#put(text);
  }

  /** It is not sent, which nothing changes any more. */
  canceled(text: Text): void {
    this.#put(text);
  }

  async read(): Promise<void> {
    if (!this.mine || this.conversation.unread === 0) return;
    await this.#mark(true);
  }

  unread(): Promise<void> {
    return this.#mark(false);
  }

  async #mark(read: boolean): Promise<void> {
    const params = { path: { conversation: this.conversation.id } };
    this.conversation = await answer(api.POST('/api/v1/conversations/{conversation}/read', { params, body: { read } }));
  }

  /** 404: they want texts. */
  async #lookForRefusal(): Promise<void> {
    const params = { path: { number: this.conversation.customer_number } };
    this.optOut = await answer(api.GET('/api/v1/opt-outs/{number}', { params })).catch(() => null);
  }

  async wantsAgain(): Promise<void> {
    const params = { path: { number: this.conversation.customer_number } };
    await answer(api.DELETE('/api/v1/opt-outs/{number}', { params }));
    this.optOut = null;
  }
}
