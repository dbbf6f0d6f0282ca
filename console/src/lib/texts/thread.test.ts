import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Frame, LiveEvent, Snapshot } from '../live/types';
import type { Conversation, Text } from './who';

const asked: ((page: { items: Text[] }) => void)[] = [];

vi.mock('../api/client', () => ({
  onSignedOut: () => {},
  answer: (promise: Promise<unknown>) => promise,
  api: {
    GET: (path: string) =>
      path.endsWith('/texts') ? new Promise((resolve) => asked.push(resolve)) : Promise.reject(new Error('404')),
  },
}));

const { live } = await import('../live/live.svelte');
const { Thread } = await import('./thread.svelte');

const conversation = { id: 'con_1', customer_number: '+12065550142' } as Conversation;

function text(seq: number, state: string): Text {
  return { id: `txt_${seq}`, conversation_id: 'con_1', seq, state, direction: 'out' } as Text;
}

function told(shown: Text): Frame {
  return { type: 'text', n: shown.seq, text: shown, conversation } as LiveEvent;
}

const turns = (): Promise<void> => new Promise((done) => setTimeout(done));
const snapshot = { type: 'snapshot', n: 0, calls: [], conversations: [] } as unknown as Snapshot;

let stop = (): void => {};
afterEach(() => {
  stop();
  live.ready = false;
  asked.length = 0;
});

async function opened(): Promise<InstanceType<typeof Thread>> {
  live.take(snapshot);
  const thread = new Thread(conversation);
  stop = thread.start();
  return thread;
}

const states = (thread: InstanceType<typeof Thread>): string[] => thread.oldestFirst.map(({ state }) => state);

describe('A conversation', () => {
  it('shows a text as sent where that was told before the answer that it was accepted', async () => {
    const thread = await opened();
    asked[0]!({ items: [] });
    await turns();
    live.take(told(text(1, 'sent')));
    thread.sent(text(1, 'queued'));
    expect(states(thread)).toEqual(['sent']);
  });

  it('shows what was accepted where nothing was told yet, and what becomes of it', async () => {
    const thread = await opened();
    asked[0]!({ items: [] });
    await turns();
    thread.sent(text(1, 'queued'));
    expect(states(thread)).toEqual(['queued']);
    live.take(told(text(1, 'sent')));
    expect(states(thread)).toEqual(['sent']);
  });

  it('loses nothing that is told while its page is on the way', async () => {
    const thread = await opened();
    live.take(told(text(1, 'sent')));
    live.take(told(text(2, 'queued')));
    asked[0]!({ items: [text(1, 'queued')] });
    await turns();
    expect(states(thread)).toEqual(['sent', 'queued']);
  });

  it('is read again where events were missed', async () => {
    const thread = await opened();
    asked[0]!({ items: [text(1, 'sent')] });
    await turns();
    expect(asked.length).toBe(1);
    live.take(snapshot);
    asked[1]!({ items: [text(2, 'received'), text(1, 'delivered')] });
    await turns();
    expect(states(thread)).toEqual(['delivered', 'received']);
  });
});
