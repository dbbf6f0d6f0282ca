/**
 * The phone's connection to the engine: open, registered, and back by itself after whatever it was lost to. JsSIP speaks
 * SIP; when to connect again is decided here, as JsSIP waits two seconds at least and knows nothing of sleep.
 */
import type { RTCSession } from 'jssip/lib/RTCSession';
import type { IncomingRequest } from 'jssip/lib/SIPMessage';
import type { DisconnectEvent, RTCSessionEvent, UA, UnRegisteredEvent } from 'jssip/lib/UA';
import { finalClosing, openingRefused } from './problems';
import { SipSocket } from './socket';
import { PhoneError, problem, type PhoneProblem, type Registration, type SessionPhone } from './types';
import { Unanswered } from './unanswered';
import { onWake } from './wake';

/** The first is short: mostly the engine is there, and only the connection was lost. */
const WAITS_MS = [50, 300, 1_000, 2_000, 4_000, 8_000];
/** A failed handshake tells nothing, so after so many the engine is asked in words. */
const ASKS_AFTER = 2;
const ANSWERS_WITHIN_MS = 2_500;
const REGISTERS_AGAIN_MS = 5_000;
const NEVER_S = 1_000_000;
const REFUSALS = new Set([401, 403, 404, 407]);

export interface ConnectionEnds {
  changed(): void;
  /** `again`: it had been, and was lost. */
  registered(again: boolean): void;
  lost(): void;
  /** Without a request: a call of ours. */
  began(rtc: RTCSession, request: IncomingRequest | null): void;
}

interface Transport {
  connect(): void;
  disconnect(): void;
}

export class Connection {
  registration: Registration = 'off';
  problem: PhoneProblem | null = null;
  phone: SessionPhone | null = null;
  #ua: UA | null = null;
  #socket: SipSocket | null = null;
  /** What belongs to an earlier start says so by its number. */
  #run = 0;
  #failed = 0;
  #renewed = false;
  readonly #unanswered = new Unanswered();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #unwatch: (() => void) | null = null;

  constructor(
    private readonly openPhone: () => Promise<SessionPhone>,
    private readonly origin: string,
    private readonly ends: ConnectionEnds,
  ) {}

  start(): void {
    if (['connecting', 'ready', 'lost'].includes(this.registration)) return;
    this.#run += 1;
    this.#failed = 0;
    this.#unwatch ??= onWake(() => this.wake());
    this.#now('connecting', null);
    void this.#begin(this.#run);
  }

  /** Ends its calls, too. */
  stop(): void {
    this.#end('off', null);
    this.#ua?.stop();
    this.#ua = null;
    this.phone = null;
  }

  get ready(): boolean {
    return this.registration === 'ready';
  }

  get iceServers(): RTCIceServer[] {
    return (this.phone?.ice_servers ?? []).map(({ urls, username, credential }) =>
      username ? { urls, username, credential: credential ?? '' } : { urls },
    );
  }

  /** Throws PhoneError. */
  call(number: string, mediaStream: MediaStream): RTCSession {
    if (!this.#ua || !this.phone || !this.ready) throw new PhoneError(this.problem ?? problem('not_ready'));
    const address = `sip:${encodeURIComponent(number).replace('%2B', '+')}@${this.phone.domain}`;
    const pcConfig = { iceServers: this.iceServers };
    return this.#ua.call(address, { mediaStream, mediaConstraints: { audio: true, video: false }, pcConfig });
  }

  /** A call is over; `given`: it was given up for want of a connection, before anybody had answered. */
  over(session: string, given: boolean): void {
    this.#unanswered.over(session, given);
  }

  /** The connection may be gone although it looks open. */
  wake(): void {
    if (!this.#ua || !this.#socket || !['connecting', 'ready', 'lost'].includes(this.registration)) return;
    if (!this.#socket.isConnected()) return this.#soon(0);
    const asked = performance.now();
    const [run, socket] = [this.#run, this.#socket];
    this.#ua.register(); // whatever is answered
    setTimeout(() => {
      if (run === this.#run && socket.isConnected() && socket.heard < asked) socket.drop();
    }, ANSWERS_WITHIN_MS);
  }

  async #begin(run: number): Promise<void> {
    const phone = await this.#ask(run);
    if (!phone) return;
    try {
      const { UA } = await import('jssip');
      if (run === this.#run) this.#connect(phone, UA);
    } catch {
      if (run !== this.#run) return;
      this.#now(this.registration, problem('engine_away', { status: 0 }));
      this.#soon();
    }
  }

  /** The phone of this login with a new secret, or null where there is none (now). */
  async #ask(run: number): Promise<SessionPhone | null> {
    try {
      const phone = await this.openPhone();
      return run === this.#run ? phone : null;
    } catch (error) {
      if (run !== this.#run) return null;
      const refused = openingRefused(error);
      if (!refused.passing) return this.#over('refused', refused.problem);
      this.#failed += 1;
      this.#now(this.registration, refused.problem);
      this.#soon();
      return null;
    }
  }

  #connect(phone: SessionPhone, Agent: typeof UA): void {
    const before = this.#transport; // its calls sound on until the engine says that they are over
    this.#ua = null;
    before?.disconnect();
    this.phone = phone;
    const socket = new SipSocket(this.origin.replace(/^http/, 'ws') + phone.path);
    socket.onsend = (message) => this.#unanswered.sent(message);
    const ua = new Agent({
      sockets: socket as never,
      uri: `sip:${phone.device_id}@${phone.domain}`,
      password: phone.secret,
      realm: phone.realm,
      // A refresh that met a lost connection would end the call; a far side that is gone is noticed by its silence.
      session_timers: false,
      register_expires: 300,
      connection_recovery_min_interval: NEVER_S,
      connection_recovery_max_interval: NEVER_S,
    });
    this.#ua = ua;
    this.#socket = socket;
    this.#listen(ua, this.#run);
    ua.start();
  }

  #listen(ua: UA, run: number): void {
    const now = (call: () => void): void => {
      if (run === this.#run && ua === this.#ua) call();
    };
    ua.on('registered', () => now(() => this.#registered()));
    ua.on('registrationFailed', (event) => now(() => void this.#notRegistered(event, run)));
    ua.on('disconnected', (event) => now(() => this.#disconnected(event)));
    ua.on('newRTCSession', ({ session, request, originator }: RTCSessionEvent) =>
      this.ends.began(session, (originator as string) === 'remote' ? (request as IncomingRequest) : null),
    );
  }

  #registered(): void {
    const again = this.registration === 'lost';
    this.#failed = 0;
    this.#renewed = false;
    for (const cancel of this.#unanswered.take()) this.#socket?.send(cancel);
    this.#now('ready', null);
    this.ends.registered(again);
  }

  /** A secret may be worth nothing any more: ask once for another. Else the telephone system is not ready for us. */
  async #notRegistered({ response, cause }: UnRegisteredEvent, run: number): Promise<void> {
    if (String(cause) === 'Connection Error') return; // `disconnected` follows
    const status = response?.status_code ?? 0;
    if (REFUSALS.has(status) && !this.#renewed) {
      this.#renewed = true;
      const phone = await this.#ask(run);
      if (phone) this.#use(phone);
      return;
    }
    this.#now(REFUSALS.has(status) ? 'refused' : 'lost', problem('registration_refused', { status }));
    this.#after(REGISTERS_AGAIN_MS, () => {
      this.#renewed = false;
      this.#ua?.register();
    });
  }

  /** Goes on with a new secret; with a new user agent where the phone is another. */
  #use(phone: SessionPhone): void {
    const same = phone.device_id === this.phone?.device_id && phone.path === this.phone.path;
    if (!same || !this.#ua) return this.#connect(phone, this.#ua?.constructor as typeof UA);
    this.phone = phone;
    this.#ua.set('password', phone.secret);
    if (this.#socket?.isConnected()) this.#ua.register();
    else this.#transport?.connect();
  }

  #disconnected({ code, reason }: DisconnectEvent): void {
    const final = finalClosing(code, reason);
    this.ends.lost();
    if (final) return void this.#over(final.code === 'phone_elsewhere' ? 'elsewhere' : 'refused', final);
    this.#failed += 1;
    if (this.registration === 'ready' || this.registration === 'refused') this.#now('lost', null);
    this.#soon();
  }

  #soon(wait = WAITS_MS[Math.min(this.#failed, WAITS_MS.length - 1)] ?? 0): void {
    const run = this.#run;
    this.#after(wait * (0.8 + 0.4 * Math.random()), () => void this.#again(run));
  }

  async #again(run: number): Promise<void> {
    if (!this.#ua) return this.#begin(run);
    if (this.#failed <= ASKS_AFTER) return this.#transport?.connect();
    const phone = await this.#ask(run);
    if (phone) this.#use(phone);
  }

  /** It does not come back by itself. Whoever has signed out has no calls; a call goes on while the phone is elsewhere. */
  #over(registration: Registration, why: PhoneProblem): null {
    this.#end(registration, why);
    if (registration === 'refused') this.#ua?.stop();
    return null;
  }

  #end(registration: Registration, why: PhoneProblem | null): void {
    this.#run += 1;
    clearTimeout(this.#timer);
    this.#unwatch?.();
    this.#unwatch = null;
    if (registration !== 'off') this.#transport?.disconnect();
    this.#now(registration, why);
  }

  #after(wait: number, call: () => void): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(call, wait);
  }

  #now(registration: Registration, why: PhoneProblem | null): void {
    this.registration = registration;
    this.problem = why;
    this.ends.changed();
  }

  get #transport(): Transport | null {
    return (this.#ua as unknown as { transport: Transport } | null)?.transport ?? null;
  }
}
