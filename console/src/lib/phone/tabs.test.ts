import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Tabs } from './tabs';
import { PhoneError, problem } from './types';

/** Locks as a browser gives them: one at a time, in order. */
class Locks {
  #last: Promise<unknown> = Promise.resolve();

  request(_: string, { signal }: { signal: AbortSignal }, held: () => Promise<void>): Promise<unknown> {
    const mine = this.#last.then(() => (signal.aborted ? undefined : held()));
    this.#last = mine;
    return mine;
  }
}

interface Opened {
  tabs: Tabs<string>;
  seen: string[];
}

let opened: Opened[] = [];

beforeEach(() => vi.stubGlobal('navigator', { locks: new Locks() }));
afterEach(() => {
  for (const { tabs } of opened) tabs.leave();
  opened = [];
  vi.unstubAllGlobals();
});

function tab(
  name: string,
  carryOut: (command: string, given: unknown[]) => Promise<unknown> = async () => name,
): Opened {
  const seen: string[] = [];
  const tabs: Tabs<string> = new Tabs('test', {
    hold: () => tabs.show(`${name} has it`),
    mirror: (state) => seen.push(state),
    carryOut,
    current: () => `${name} has it`,
  });
  const made = { tabs, seen };
  opened.push(made);
  tabs.join();
  return made;
}

test('the first tab has the phone and the next sees what it shows', async () => {
  const first = tab('first');
  await vi.waitFor(() => expect(first.tabs.holder).toBe(true));
  const second = tab('second');
  await vi.waitFor(() => expect(second.seen).toContain('first has it'));
  expect(second.tabs.holder).toBe(false);
});

test('a command is carried out where the phone is, and its answer or refusal comes back', async () => {
  const first = tab('first', async (command, given) => {
    if (command === 'call') return [command, ...given];
    throw new PhoneError(problem('no_call'));
  });
  await vi.waitFor(() => expect(first.tabs.holder).toBe(true));
  const second = tab('second');
  expect(await second.tabs.ask('call', ['110'])).toEqual(['call', '110']);
  await expect(second.tabs.ask('answer', [])).rejects.toMatchObject({ problem: { code: 'no_call' } });
});

test('the next tab takes the phone over when the first is left', async () => {
  const first = tab('first');
  await vi.waitFor(() => expect(first.tabs.holder).toBe(true));
  const [second, third] = [tab('second'), tab('third')];
  first.tabs.leave();
  await vi.waitFor(() => expect(second.tabs.holder).toBe(true));
  await vi.waitFor(() => expect(third.seen).toContain('second has it'));
});

test('a holder that does not answer is told of instead of waited for', async () => {
  vi.stubGlobal('navigator', { locks: { request: () => new Promise(() => {}) } });
  const alone = tab('alone');
  await expect(alone.tabs.ask('call', [])).rejects.toMatchObject({ problem: { code: 'holder_silent' } });
});
