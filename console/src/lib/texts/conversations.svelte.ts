/** Conversations as the server pages them, the newest first, with what happens meanwhile. */
import { answer, api } from '../api/client';
import { live } from '../live/live.svelte';
import { Pages } from '../util/loaded.svelte';
import type { Conversation } from './who';

export interface Question {
  user?: string;
  customer_number?: string;
  record_id?: string;
  unread?: boolean;
}

export class Conversations {
  readonly pages: Pages<Conversation>;

  constructor(private readonly question: Question) {
    this.pages = new Pages((cursor) => {
      const query = { ...question, cursor: cursor ?? undefined, limit: 50 };
      return answer(api.GET('/api/v1/conversations', { params: { query } }));
    });
  }

  /** Gives the function that ends it. */
  start(): () => void {
    void this.pages.begin();
    return live.on(
      (event) => {
        if (event.type === 'text' || event.type === 'conversation') this.#changed(event.conversation);
      },
      () => void this.pages.begin(),
    );
  }

  /** What is listed changes and rises; what is new is asked for, so that the server's rule says whether it belongs. */
  #changed(now: Conversation): void {
    if (!this.pages.ready) return;
    if (!this.pages.items.some(({ id }) => id === now.id)) {
      if (this.#mayFit(now)) void this.pages.begin();
      return;
    }
    const items = this.pages.items.map((each) => (each.id === now.id ? now : each));
    this.pages.items = items.sort((one, other) => other.last_us - one.last_us);
  }

  #mayFit(now: Conversation): boolean {
    const { record_id, user, unread } = this.question;
    if (record_id && now.record_id !== record_id) return false;
    if (user && now.user_id !== user) return false;
    return !unread || now.unread > 0;
  }
}
