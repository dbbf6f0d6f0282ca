/**
 * One state for the whole page: the engine's snapshot with its events applied. What a call is, the engine says; the phone
 * only carries its sound.
 */
import type { Schemas } from '../api/client';
import { Stream } from './stream';
import type {
  Conversation,
  Frame,
  ListRun,
  LiveCall,
  LiveEvent,
  Presence,
  Snapshot,
  Summary,
  Task,
  Unheard,
} from './types';

type Heard = (event: LiveEvent) => void;

class Live {
  connected = $state(false);
  /** Since the first snapshot, whether the connection stands or not. */
  ready = $state(false);
  calls = $state.raw<LiveCall[]>([]);
  presence = $state.raw<Presence[]>([]);
  alerts = $state.raw<Schemas['AlertView'][]>([]);
  balance = $state.raw<Schemas['Balance'] | null>(null);
  voicemails = $state.raw<Unheard[]>([]);
  summaries = $state.raw<Summary[]>([]);
  tasks = $state.raw<Task[]>([]);
  listRun = $state.raw<ListRun | null>(null);
  /** The user's own with something unread. */
  conversations = $state.raw<Conversation[]>([]);
  /** Counts up with every change of what is configured: lists of users, numbers and the like are read again. */
  revision = $state(0);
  /** The last frame that came: its number, and when (Date.now). */
  seen = $state.raw<{ n: number; at: number } | null>(null);

  #heard = new Set<{ event: Heard; missed?: () => void }>();
  #stream = new Stream({
    frame: (frame) => this.take(frame),
    connected: (is) => (this.connected = is),
    signedOut: () => this.onSignedOut(),
  });
  onSignedOut: () => void = () => {};

  start(): void {
    this.#stream.start();
  }

  stop(): void {
    this.#stream.stop();
    this.connected = this.ready = false;
    Object.assign(this, {
      calls: [],
      presence: [],
      alerts: [],
      voicemails: [],
      summaries: [],
      tasks: [],
      listRun: null,
      conversations: [],
    });
    this.balance = null;
  }

  /** Texts that wait to be read. */
  get unreadTexts(): number {
    return this.conversations.reduce((sum, { unread }) => sum + unread, 0);
  }

  /**
   * Be told of each event after it was applied; gives the function that ends it. `missed` is called when some never came,
   * as the engine began anew or the page was away for long: what was read before may be another.
   */
  on(event: Heard, missed?: () => void): () => void {
    const heard = { event, missed };
    this.#heard.add(heard);
    return () => this.#heard.delete(heard);
  }

  take(frame: Frame): void {
    this.seen = { n: frame.n, at: Date.now() };
    if (frame.type === 'resumed') return;
    if (frame.type === 'snapshot') {
      const again = this.ready;
      this.#begin(frame);
      if (again) for (const { missed } of this.#heard) missed?.();
      return;
    }
    this.#apply(frame);
    for (const { event } of this.#heard) event(frame);
  }

  #begin(snapshot: Snapshot): void {
    this.calls = snapshot.calls;
    this.presence = snapshot.presence;
    this.alerts = snapshot.alerts;
    this.balance = snapshot.balance ?? null;
    this.voicemails = snapshot.voicemails;
    this.summaries = snapshot.summaries;
    this.tasks = snapshot.tasks;
    this.listRun = snapshot.list_run ?? null;
    this.conversations = snapshot.conversations;
    this.revision = snapshot.revision;
    this.ready = true;
  }

  /** The rule of the engine's hub: an event carries the new state of what it is about. */
  #apply(event: LiveEvent): void {
    switch (event.type) {
      case 'call':
        this.calls = replaced(this.calls, event.call, 'id', event.call.ended_us === null);
        break;
      case 'presence':
        for (const shown of event.presence) {
          this.presence = replaced(this.presence, shown, 'user_id', shown.state !== 'gone');
        }
        break;
      case 'voicemail':
        this.voicemails = keptIf(this.voicemails, event.voicemail_id, event.unheard);
        break;
      case 'alert':
        this.alerts = keptIf(this.alerts, event.alert_id, event.alert);
        break;
      case 'balance':
        this.balance = event.balance;
        break;
      case 'summary':
        this.summaries = replaced(this.summaries, event.summary, 'call_id', event.summary.state === 'draft');
        break;
      case 'task':
        this.tasks = keptIf(this.tasks, event.task_id, event.task?.done_us === null ? event.task : null);
        break;
      case 'conversation':
        this.conversations = replaced(this.conversations, event.conversation, 'id', event.conversation.unread > 0);
        break;
      case 'list_run':
        this.listRun = event.list_run;
        break;
      case 'configuration':
        this.revision = event.revision;
        break;
      case 'call.noted':
      case 'charges':
      case 'reminder':
      case 'text':
      case 'list':
        break; // of use to who listens, nothing to keep here
      default:
        event satisfies never; // an event that the engine's description names is dealt with
    }
  }
}

export function replaced<T, K extends keyof T>(items: T[], item: T, key: K, keep: boolean): T[] {
  const found = items.some((each) => each[key] === item[key]);
  if (!keep) return found ? items.filter((each) => each[key] !== item[key]) : items;
  return found ? items.map((each) => (each[key] === item[key] ? item : each)) : [...items, item];
}

export function keptIf<T extends { id: string }>(items: T[], id: string, item: T | null): T[] {
  return item ? replaced(items, item, 'id', true) : items.filter((each) => each.id !== id);
}

export const live = new Live();
