/**
 * The connection to the engine's event stream: opened again for as long as somebody is signed in, going on after the last
 * event that was seen. It never asks for a refresh.
 */
import type { Frame } from './types';

const FIRST_WAIT_MS = 250;
const LONGEST_WAIT_MS = 8_000;
/** The engine pings every 20 s, which a page cannot see; a clock that jumped by more than this has slept. */
const SLEPT_MS = 30_000;
const TICK_MS = 5_000;
const SIGNED_OUT = 4401;

export interface StreamEnds {
  frame(frame: Frame): void;
  connected(is: boolean): void;
  signedOut(): void;
}

export class Stream {
  #socket: WebSocket | null = null;
  #stopped = true;
  #wait = FIRST_WAIT_MS;
  #retry: ReturnType<typeof setTimeout> | undefined;
  #watch: ReturnType<typeof setInterval> | undefined;
  #epoch = '';
  #n = -1;
  #ticked = 0;

  constructor(private readonly ends: StreamEnds) {}

  start(): void {
    if (!this.#stopped) return;
    this.#stopped = false;
    addEventListener('online', this.#soon);
    document.addEventListener('visibilitychange', this.#soon);
    this.#ticked = Date.now();
    this.#watch = setInterval(() => this.#tick(), TICK_MS);
    this.#open();
  }

  stop(): void {
    this.#stopped = true;
    this.#n = -1;
    removeEventListener('online', this.#soon);
    document.removeEventListener('visibilitychange', this.#soon);
    clearInterval(this.#watch);
    clearTimeout(this.#retry);
    this.#socket?.close();
    this.#socket = null;
  }

  /** Whoever comes back to the page does not wait for the next try. */
  #soon = (): void => {
    if (this.#stopped || document.visibilityState === 'hidden') return;
    if (this.#socket && this.#socket.readyState <= WebSocket.OPEN) return;
    clearTimeout(this.#retry);
    this.#open();
  };

  /** After sleep the connection may look open for minutes although nobody is at the other end: a fresh one is certain. */
  #tick(): void {
    const now = Date.now();
    const slept = now - this.#ticked > SLEPT_MS;
    this.#ticked = now;
    if (slept) this.#again(0);
  }

  #open(): void {
    const query = this.#n >= 0 ? `?after=${this.#n}&epoch=${encodeURIComponent(this.#epoch)}` : '';
    const socket = new WebSocket(`${location.origin.replace(/^http/, 'ws')}/api/v1/events${query}`);
    this.#socket = socket;
    socket.onmessage = (message) => socket === this.#socket && this.#take(String(message.data));
    socket.onclose = (closed) => {
      if (socket !== this.#socket || this.#stopped) return;
      this.ends.connected(false);
      if (closed.code === SIGNED_OUT) this.ends.signedOut();
      this.#again(this.#wait);
      this.#wait = Math.min(this.#wait * 2, LONGEST_WAIT_MS);
    };
  }

  #again(after: number): void {
    const old = this.#socket;
    this.#socket = null;
    old?.close();
    clearTimeout(this.#retry);
    if (!this.#stopped) this.#retry = setTimeout(() => this.#open(), after);
  }

  #take(text: string): void {
    const frame = JSON.parse(text) as Frame;
    if (frame.type === 'snapshot' || frame.type === 'resumed') {
      this.#epoch = frame.epoch;
      this.#wait = FIRST_WAIT_MS;
      this.ends.connected(true);
    }
    this.#n = frame.n;
    this.ends.frame(frame);
  }
}
