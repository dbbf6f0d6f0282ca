/**
 * One tab has the phone, the others are its remote controls. Who has it is a Web Lock, which the browser gives to the
 * next tab by itself in the moment in which the tab that has it is closed or dies.
 */
import { PhoneError, problem, type PhoneProblem } from './types';

const ANSWERS_WITHIN_MS = 1_500;

export interface TabsEnds<State> {
  /** This tab has the phone from now on. */
  hold(): void;
  /** What the tab that has it shows. */
  mirror(state: State): void;
  /** Asked by another tab. */
  carryOut(command: string, given: unknown[]): Promise<unknown>;
  /** For tabs that have just been opened. */
  current(): State;
}

type Message<State> =
  | { kind: 'hello' }
  | { kind: 'state'; state: State }
  | { kind: 'command'; id: string; command: string; given: unknown[] }
  | { kind: 'taken'; id: string }
  | { kind: 'done'; id: string; result: unknown }
  | { kind: 'failed'; id: string; problem: PhoneProblem };

interface Waiting {
  resolve(result: unknown): void;
  reject(error: PhoneError): void;
  timer: ReturnType<typeof setTimeout>;
}

export class Tabs<State> {
  holder = false;
  #channel: BroadcastChannel | null = null;
  #asking: AbortController | null = null;
  #letGo: (() => void) | null = null;
  #waiting = new Map<string, Waiting>();

  constructor(
    private readonly name: string,
    private readonly ends: TabsEnds<State>,
  ) {}

  join(): void {
    if (this.#channel) return;
    this.#channel = new BroadcastChannel(this.name);
    this.#channel.onmessage = (event: MessageEvent<Message<State>>) => this.#took(event.data);
    this.#send({ kind: 'hello' });
    this.#contend();
  }

  leave(): void {
    this.#asking?.abort();
    this.#asking = null;
    this.#letGo?.();
    this.#letGo = null;
    this.holder = false;
    this.#channel?.close();
    this.#channel = null;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new PhoneError(problem('holder_silent')));
  }

  /** From the tab that has the phone: what it shows. */
  show(state: State): void {
    this.#send({ kind: 'state', state });
  }

  /** From another tab. Rejects with what the phone says, or `holder_silent`. What was taken on may take its time. */
  ask(command: string, given: unknown[]): Promise<unknown> {
    const id = crypto.randomUUID();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(
        () => this.#settle(id)?.reject(new PhoneError(problem('holder_silent'))),
        ANSWERS_WITHIN_MS,
      );
      this.#waiting.set(id, { resolve, reject, timer });
      this.#send({ kind: 'command', id, command, given });
    });
  }

  #contend(): void {
    // Pages over http have no locks, and no microphone either: each is on its own.
    if (!navigator.locks) return this.#held();
    const asking = new AbortController();
    this.#asking = asking;
    const held = (): Promise<void> => {
      this.#held();
      return new Promise((resolve) => (this.#letGo = resolve));
    };
    navigator.locks.request(this.name, { signal: asking.signal }, held).catch(() => {}); // aborted: left before its turn
  }

  #held(): void {
    if (!this.#channel) return;
    this.holder = true;
    for (const id of [...this.#waiting.keys()]) this.#settle(id)?.reject(new PhoneError(problem('holder_silent')));
    this.ends.hold();
  }

  #took(message: Message<State>): void {
    switch (message.kind) {
      case 'hello':
        if (this.holder) this.show(this.ends.current());
        return;
      case 'state':
        if (!this.holder) this.ends.mirror(message.state);
        return;
      case 'command':
        if (this.holder) void this.#carryOut(message.id, message.command, message.given);
        return;
      case 'taken':
        clearTimeout(this.#waiting.get(message.id)?.timer);
        return;
      case 'done':
        this.#settle(message.id)?.resolve(message.result);
        return;
      case 'failed':
        this.#settle(message.id)?.reject(new PhoneError(message.problem));
    }
  }

  async #carryOut(id: string, command: string, given: unknown[]): Promise<void> {
    this.#send({ kind: 'taken', id });
    try {
      this.#send({ kind: 'done', id, result: await this.ends.carryOut(command, given) });
    } catch (error) {
      const told =
        error instanceof PhoneError ? error.problem : problem('call_broken', { cause: String(error), status: 0 });
      this.#send({ kind: 'failed', id, problem: told });
    }
  }

  #settle(id: string): Waiting | undefined {
    const waiting = this.#waiting.get(id);
    clearTimeout(waiting?.timer);
    this.#waiting.delete(id);
    return waiting;
  }

  #send(message: Message<State>): void {
    this.#channel?.postMessage(message);
  }
}
