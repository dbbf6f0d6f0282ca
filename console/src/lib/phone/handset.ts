/** The phone itself, in the tab that has it: the connection, the sound of its calls, and what rings. */
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { IncomingRequest } from 'jssip/lib/SIPMessage';
import { Connection } from './connection';
import type { Microphone } from './microphone';
import type { Ringtone } from './ringtone';
import { Session } from './session';
import type { Speaker } from './speaker';
import {
  PhoneError,
  problem,
  type PhoneProblem,
  type PhoneState,
  type PhoneStatistics,
  type SessionPhone,
} from './types';

const DIALLED = /^\+?[0-9*#]{1,40}$/;

export interface Parts {
  openPhone(): Promise<SessionPhone>;
  leavePage(): void;
  origin: string;
  microphone: Microphone;
  speaker: Speaker;
  ringtone: Ringtone;
  changed(): void;
}

export class Handset {
  readonly #connection: Connection;
  readonly #sessions = new Map<string, Session>();
  /** Why a call that nobody ended is over; until the next one. */
  #broken: PhoneProblem | null = null;

  constructor(private readonly parts: Parts) {
    this.#connection = new Connection(parts.openPhone, parts.origin, {
      changed: () => this.#changed(),
      registered: (again) => again && this.#restart(),
      lost: () => this.#lost(),
      began: (rtc, request) => this.#began(rtc, request),
    });
  }

  get view(): Pick<PhoneState, 'registration' | 'problem' | 'sessions' | 'deviceId'> {
    const { registration, problem: why, phone } = this.#connection;
    const sessions = [...this.#sessions.values()].map(({ view }) => view);
    return { registration, problem: why ?? this.#broken, sessions, deviceId: phone?.device_id ?? null };
  }

  start(): void {
    addEventListener('pagehide', this.#leaving);
    this.#connection.start();
  }

  stop(): void {
    removeEventListener('pagehide', this.#leaving);
    this.#connection.stop();
    this.#changed();
  }

  async call(number: string): Promise<void> {
    const dialled = number.replace(/[\s()./-]/g, '');
    if (!DIALLED.test(dialled)) throw new PhoneError(problem('number_invalid', { number }));
    if (!this.#connection.ready) throw new PhoneError(this.#connection.problem ?? problem('not_ready'));
    const stream = await this.parts.microphone.open();
    try {
      const rtc = this.#connection.call(dialled, stream);
      this.#sessions.get(rtc.id)?.began(stream);
    } catch (error) {
      for (const track of stream.getTracks()) track.stop();
      throw error;
    }
  }

  /** Rejects where the microphone refuses; it then rings on at this user's other phones. */
  async answer(id?: string): Promise<void> {
    const session = this.#find(id, ({ state }) => state === 'ringing');
    if (session.answering) return;
    session.answering = true;
    this.#changed();
    try {
      const stream = await this.parts.microphone.open();
      if (session.state === 'ringing' && this.#sessions.has(session.id))
        session.answer(stream, this.#connection.iceServers);
      else for (const track of stream.getTracks()) track.stop(); // the caller was faster
    } catch (error) {
      session.end('here');
      throw error;
    }
  }

  reject(id?: string): void {
    this.#find(id, ({ state }) => state === 'ringing').end();
  }

  hangUp(id?: string): void {
    this.#find(id, ({ state }) => state !== 'ringing').end();
  }

  mute(on: boolean, id?: string): void {
    this.#find(id, ({ up }) => up).mute(on);
  }

  sendDigit(digit: string, id?: string): void {
    this.#find(id, ({ up }) => up).sendDigit(digit);
  }

  statistics(id?: string): Promise<PhoneStatistics> {
    return this.#find(id, ({ up }) => up).statistics();
  }

  reconnect(): void {
    this.#connection.start();
    this.#connection.wake();
  }

  /** Speak from the microphone that is chosen now; `all`, or only calls whose own was unplugged. */
  async useMicrophone(all: boolean): Promise<void> {
    for (const session of this.#sessions.values()) {
      if (session.up && (all || session.deaf)) await session.replace(await this.parts.microphone.open());
    }
  }

  #began(rtc: RTCSession, request: IncomingRequest | null): void {
    this.#broken = null;
    const session = new Session(rtc, request, {
      changed: () => this.#changed(),
      heard: (track) => this.parts.speaker.attach(session.id, track),
      broken: () => this.#connection.ready && session.restart(),
      ended: (_, why) => this.#ended(session, why),
    });
    this.#sessions.set(session.id, session);
    if (session.takesItself) void this.answer(session.id).catch(() => {}); // it shows as the microphone's problem
    this.#changed();
  }

  #ended(session: Session, why: PhoneProblem | null): void {
    this.#sessions.delete(session.id);
    this.#connection.over(session.id, session.state === 'progress' && why?.data.cause === 'Connection Error');
    this.#broken = why;
    this.parts.speaker.release(session.id);
    this.#changed();
  }

  /** What was not answered cannot be now: the answer would have gone over the connection that is lost. */
  #lost(): void {
    for (const session of this.#sessions.values()) if (session.state === 'ringing') session.end();
  }

  #restart(): void {
    for (const session of this.#sessions.values()) session.restart();
  }

  /** The call is not hung up: the engine keeps the customer for the page that comes next. */
  #leaving = (): void => {
    if ([...this.#sessions.values()].some(({ up }) => up)) this.parts.leavePage();
  };

  #find(id: string | undefined, fits: (session: Session) => boolean): Session {
    const found = id ? this.#sessions.get(id) : [...this.#sessions.values()].find(fits);
    if (!found) throw new PhoneError(problem('no_call'));
    return found;
  }

  #changed(): void {
    const sessions = [...this.#sessions.values()];
    if (sessions.some(({ state, takesItself }) => state === 'ringing' && !takesItself))
      this.parts.ringtone.play('ring');
    else if (sessions.some(({ silentRing }) => silentRing)) this.parts.ringtone.play('ringback');
    else this.parts.ringtone.stop();
    this.parts.changed();
  }
}
