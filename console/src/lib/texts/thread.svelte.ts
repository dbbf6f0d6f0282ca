/** One conversation as it is read: its texts, the oldest above, with what happens meanwhile. */
import { answer, api, type Schemas } from '../api/client';
import { live } from '../live/live.svelte';
import { session } from '../session.svelte';
import { Pages } from '../util/loaded.svelte';
import type { Conversation, Text } from './who';

export class Thread {
  readonly pages: Pages<Text>;
  conversation = $state.raw<Conversation>() as Conversation;
  optOut = $state.raw<Schemas['OptOut'] | null>(null);
  readonly oldestFirst = $derived.by(() => [...this.pages.items].reverse());

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
    void this.pages.begin();
    void this.#lookForRefusal();
    const stop = live.on((event) => {
      if (event.type === 'text' && event.text.conversation_id === this.conversation.id) this.take(event.text);
      if (event.type === 'text' && event.conversation.id === this.conversation.id)
        this.conversation = event.conversation;
      if (event.type === 'conversation' && event.conversation.id === this.conversation.id)
        this.conversation = event.conversation;
    });
    return stop;
  }

  take(text: Text): void {
    const known = this.pages.items.some(({ id }) => id === text.id);
    const items = known
      ? this.pages.items.map((each) => (each.id === text.id ? text : each))
      : [text, ...this.pages.items].sort((one, other) => other.seq - one.seq);
    this.pages.items = items;
    if (text.direction === 'in') void this.#lookForRefusal();
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
