/**
 * The one object between the page and the telephone: the shift, the phone in this browser, and what is asked of calls.
 * What a call is, `live.calls` says; the phone only carries its sound. Every method rejects with a Problem or a PhoneError;
 * `tried` says either in a toast.
 */
import { answer, api, getCsrf, idempotencyKey, Problem } from './api/client';
import { activeCalls, heldByHand, isMuted, legOf, mayOf, otherLeg, partiesOf, partOf } from './calls';
import * as asks from './call/asks';
import { problemInWords } from './call/problems';
import { soundOf } from './call/sound';
import { live } from './live/live.svelte';
import type { LiveCall } from './live/types';
import type { Phone, PhoneOptions } from './phone/phone';
import { NOTHING, PhoneError, type PhoneSession, type PhoneState } from './phone/types';
import { session } from './session.svelte';
import { keep, kept } from './util/kept';
import { toasts } from './ui/toasts.svelte';

/** What rings first on a call out: this page, another phone of this user, or the forwarding number. */
export type Via = 'browser' | 'device' | 'forwarding';
const VIA = 'switchhook.via';
/** Whose shift goes on in this browser, in all its tabs and over a reload. */
const SHIFT = 'switchhook.shift';
const READY_WITHIN_MS = 8_000;
const LINK_WITHIN_MS = 15_000;

const LEAVING = '/api/v1/session/phone/leaving';

class Voice {
  phone = $state.raw<PhoneState>(NOTHING);
  shift = $state<'off' | 'starting' | 'on'>('off');
  /** A number is on its way to the engine: a second click dials nothing. */
  dialling = $state(false);
  via = $state<Via>((kept(VIA) as Via | null) ?? 'browser');
  /** The call that the bar shows, of several. */
  shown = $state<string | null>(null);
  #device: Phone | null = null;
  #waiting = new Set<() => void>();

  constructor() {
    addEventListener('storage', ({ key }) => key === SHIFT && this.#shiftElsewhere());
  }

  // -- the shift ----------------------------------------------------------------------------------

  /** One click: sound, microphone, notifications, phone. To be called in the click itself. */
  async start(): Promise<void> {
    if (this.shift === 'starting') return;
    this.shift = 'starting';
    keep(SHIFT, session.me.id);
    try {
      const device = await this.#open();
      askToNotify();
      if (!session.me.available) await this.tried(this.beAvailable(true));
      await device.prepare();
    } finally {
      this.shift = 'on'; // without a microphone it still rings, and says what to do
    }
  }

  /** Whether this user's phones ring; else calls go on to the forwarding number at once. */
  async beAvailable(available: boolean): Promise<void> {
    await session.changed(await answer(api.PATCH('/api/v1/me', { body: { available } })));
  }

  /** Calls ring desk phones and the forwarding number only from now on. */
  end(): void {
    keep(SHIFT, null);
    this.#close();
  }

  /** After a reload, or in another tab: nobody has to start a shift twice. */
  async resume(): Promise<void> {
    if (this.shift !== 'off' || kept(SHIFT) !== session.user?.id) return;
    this.shift = 'on';
    await this.#open();
  }

  /** Take the phone back from newer pages, or try again after a refusal. */
  async reconnect(): Promise<void> {
    await this.#device?.reconnect();
  }

  /** Somebody signed out. */
  leave(): void {
    this.end();
    this.shown = null;
  }

  #close(): void {
    this.#device?.stop();
    this.#device = null;
    this.phone = NOTHING;
    this.shift = 'off';
  }

  #shiftElsewhere(): void {
    if (kept(SHIFT) === session.user?.id) void this.resume();
    else if (this.shift !== 'off') this.#close();
  }

  async #open(): Promise<Phone> {
    if (this.#device) return this.#device;
    const { Phone } = await import('./phone/phone');
    this.#device ??= new Phone(OPTIONS);
    this.#device.start();
    return this.#device;
  }

  /** The phone tells what it is now. */
  changed(state: PhoneState): void {
    this.phone = state;
    for (const look of this.#waiting) look();
  }

  get device(): Phone {
    if (!this.#device) throw new PhoneError({ code: 'not_ready', data: {} });
    return this.#device;
  }

  // -- a call out ---------------------------------------------------------------------------------

  choose(via: Via): void {
    this.via = via;
    keep(VIA, via);
  }

  /** Where the chosen phone is not there any more, this page. */
  get through(): Via {
    return this.via === 'forwarding' && !session.user?.forwarding_number ? 'browser' : this.via;
  }

  async dial(number: string, { recordId, via }: { recordId?: string; via?: Via } = {}): Promise<void> {
    if (this.dialling) return;
    this.dialling = true;
    try {
      const through = via ?? this.through;
      await this.#holdOthers(null);
      if (through === 'browser') await this.#dialHere(number, recordId);
      else await this.#dialByEngine(number, through, recordId);
    } finally {
      this.dialling = false;
    }
  }

  async #dialHere(number: string, recordId?: string): Promise<void> {
    if (this.shift !== 'on') await this.start();
    await this.#ready();
    if (recordId) this.#fileNext(recordId);
    await this.device.call(number);
  }

  async #dialByEngine(number: string, via: Via, recordId?: string): Promise<void> {
    const params = { header: { 'Idempotency-Key': idempotencyKey() } };
    const body = { to: number, via: via === 'forwarding' ? ('forwarding' as const) : ('device' as const) };
    const { id } = await answer(api.POST('/api/v1/calls', { params, body }));
    this.shown = id;
    if (recordId) await asks.file(id, recordId);
  }

  /** The phone of this page has no id for its own calls before the engine tells of them. */
  #fileNext(recordId: string): void {
    const known = new Set(live.calls.map(({ id }) => id));
    const stop = live.on((event) => {
      if (event.type !== 'call' || known.has(event.call.id)) return;
      const { id, direction, user_id, record_id } = event.call;
      if (direction === 'inbound' || user_id !== session.user?.id) return;
      stop();
      clearTimeout(timer);
      if (record_id !== recordId) void asks.file(id, recordId).catch((error: unknown) => this.failed(error));
    });
    const timer = setTimeout(stop, LINK_WITHIN_MS);
  }

  /** Until the phone is registered, or says why it will not be. */
  #ready(): Promise<void> {
    return new Promise((resolve, reject) => {
      const end = (settle: () => void): void => {
        clearTimeout(timer);
        this.#waiting.delete(look);
        settle();
      };
      const refuse = (): void =>
        end(() => reject(new PhoneError(this.phone.problem ?? { code: 'not_ready', data: {} })));
      const look = (): void => {
        const { registration } = this.phone;
        if (registration === 'ready') end(resolve);
        else if (['refused', 'elsewhere', 'off'].includes(registration)) refuse();
      };
      const timer = setTimeout(refuse, READY_WITHIN_MS);
      this.#waiting.add(look);
      look();
    });
  }

  // -- a call that comes --------------------------------------------------------------------------

  /** Here where it rings here, else on another phone of this user, which picks up by itself. */
  async answer(call: LiveCall): Promise<void> {
    this.shown = call.id;
    const here = this.soundOf(call);
    if (here?.state === 'ringing') return this.device.answer(here.id);
    await asks.answerElsewhere(call);
  }

  /** Whether Answer can do anything: an invitation can be taken only where it rings. */
  canAnswer(call: LiveCall): boolean {
    return partOf(call, session.me.id) === 'ringing' || this.soundOf(call)?.state === 'ringing';
  }

  // -- a call that stands -------------------------------------------------------------------------

  /** The sound of a call in this browser; null where it sounds on another phone. */
  soundOf(call: LiveCall): PhoneSession | null {
    return soundOf(call, live.calls, this.phone);
  }

  muted(call: LiveCall): boolean {
    return isMuted(call, legOf(call, session.me.id)) || (this.soundOf(call)?.muted ?? false);
  }

  /** Here at once, and at the engine, which silences any phone and tells other pages. Still muted unless both agree. */
  async mute(call: LiveCall, on: boolean): Promise<void> {
    const here = this.soundOf(call);
    if (here) await this.device.mute(on, here.id);
    if (on || !here || isMuted(call, legOf(call, session.me.id))) await asks.mute(call, on);
  }

  /** Whoever is taken back is the one to speak with: other calls of this user hear music. */
  async hold(call: LiveCall, leg: string, on: boolean): Promise<void> {
    if (!on) await this.#holdOthers(call.id);
    await asks.hold(call, leg, on);
  }

  /** A user has one voice: nobody hears what is said to another caller. A conference is left as it is. */
  async #holdOthers(but: string | null): Promise<void> {
    const me = session.me.id;
    for (const call of activeCalls(live.calls, me)) {
      const other = otherLeg(call, me);
      const free = other && mayOf(call, me).control && partiesOf(call).length === 2 && !heldByHand(call, other);
      if (free && call.id !== but) await this.tried(this.hold(call, other.id, true));
    }
  }

  /** For everybody. Where the engine cannot be asked, the phone hangs up and the engine hears of it by that. */
  async hangUp(call: LiveCall): Promise<void> {
    try {
      await asks.hangUp(call);
    } catch (error) {
      const here = this.soundOf(call);
      if (!here || !(error instanceof Problem) || !error.passing) throw error;
      await this.device.hangUp(here.id);
    }
  }

  async digits(call: LiveCall, digits: string): Promise<void> {
    const here = this.soundOf(call);
    if (here && here.state === 'up') return this.device.sendDigit(digits, here.id);
    await asks.digits(call, digits);
  }

  // -- in words -----------------------------------------------------------------------------------

  /** Does it, and says in a toast why it could not be done. */
  async tried(doing: Promise<unknown>): Promise<boolean> {
    try {
      await doing;
      return true;
    } catch (error) {
      this.failed(error);
      return false;
    }
  }

  failed(error: unknown): void {
    if (error instanceof PhoneError) toasts.say(problemInWords(error.problem), 'bad');
    else toasts.failed(error);
  }
}

const OPTIONS: PhoneOptions = {
  openPhone: () => answer(api.POST('/api/v1/session/phone')),
  leavePage: () =>
    void fetch(LEAVING, { method: 'POST', keepalive: true, headers: { 'X-CSRF-Token': getCsrf() } }).catch(() => {}),
  origin: location.origin,
  onChange: (state) => voice.changed(state),
};

/** Asked once, in the click that starts the shift; a refusal is respected. */
function askToNotify(): void {
  if (typeof Notification !== 'undefined' && Notification.permission === 'default')
    void Notification.requestPermission();
}

export const voice = new Voice();
