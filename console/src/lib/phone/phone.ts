/**
 * The phone of this page. In one tab it is the phone; in the others the same calls go to that tab and what it shows comes
 * back, so a page need not know which it is. What a call is, the engine's events say; this only carries its sound.
 *
 *     const phone = new Phone({ openPhone, leavePage, origin: location.origin, onChange: (state) => … });
 *     phone.start();
 *     await phone.prepare();              // "Start shift": in the click itself
 *     await phone.call('+12065550150');   // rejects with PhoneError, whose `problem` the page puts into words
 */
import { SoundCheck } from './check';
import { Handset } from './handset';
import { Microphone } from './microphone';
import { Ringtone } from './ringtone';
import { Speaker } from './speaker';
import { Tabs } from './tabs';
import { NOTHING, PhoneError, problem, type PhoneState, type PhoneStatistics, type SessionPhone } from './types';
import { watchVolume } from './volume';

export type * from './types';
export { PhoneError } from './types';
export type { SoundCheck } from './check';

export interface PhoneOptions {
  /** POST /api/v1/session/phone. What it rejects with has the HTTP `status`; 0 or none: the engine was not reached. */
  openPhone(): Promise<SessionPhone>;
  /** POST /api/v1/session/phone/leaving, with `keepalive`: the page goes away while a call stands. */
  leavePage(): void;
  /** Of the engine, as location.origin. */
  origin: string;
  onChange(state: PhoneState): void;
  audio?: HTMLAudioElement;
}

type Command =
  | 'call'
  | 'answer'
  | 'reject'
  | 'hangUp'
  | 'mute'
  | 'sendDigit'
  | 'statistics'
  | 'reconnect'
  | 'useMicrophone'
  | 'useSpeaker';

export class Phone {
  #state: PhoneState = NOTHING;
  #handset: Handset | null = null;
  #told = '';
  #unwatch: (() => void)[] = [];
  readonly #speaker: Speaker;
  readonly #ringtone = new Ringtone(() => this.#changed());
  readonly #microphone = new Microphone(
    () => this.#changed(),
    () => void this.#handset?.useMicrophone(false).catch(() => {}), // it shows as the microphone's problem
  );
  readonly #tabs = new Tabs<PhoneState>('switchhook-phone', {
    hold: () => this.#hold(),
    mirror: (state) => this.#mirror(state),
    carryOut: (command, given) => this.#carryOut(command as Command, given),
    current: () => this.state,
  });

  constructor(private readonly options: PhoneOptions) {
    this.#speaker = new Speaker(options.audio ?? new Audio());
  }

  get state(): PhoneState {
    return this.#state;
  }

  start(): void {
    if (this.#unwatch.length) return;
    if (typeof RTCPeerConnection === 'undefined') return this.#show({ ...NOTHING, problem: problem('no_webrtc') });
    const play = (): void => this.#speaker.play();
    addEventListener('pointerdown', play);
    this.#unwatch = [
      this.#ringtone.watch(),
      () => removeEventListener('pointerdown', play),
      () => this.#microphone.close(),
      watchVolume(() => this.#speaker.setVolume()),
    ];
    this.#microphone.watch();
    this.#show({ ...this.#state, registration: 'connecting' });
    this.#tabs.join();
  }

  /** Somebody signs out. Calls of this tab's end. */
  stop(): void {
    for (const unwatch of this.#unwatch) unwatch();
    this.#unwatch = [];
    this.#handset?.stop();
    this.#handset = null;
    this.#tabs.leave();
    void this.#ringtone.close();
    this.#show(NOTHING);
  }

  /** Unlocks sound and asks for the microphone. To be called in a click. Rejects with PhoneError. */
  async prepare(): Promise<void> {
    await this.#ringtone.unlock();
    const stream = await this.#microphone.open();
    for (const track of stream.getTracks()) track.stop();
  }

  call(number: string): Promise<void> {
    return this.#do('call', number);
  }

  answer(id?: string): Promise<void> {
    return this.#do('answer', id);
  }

  reject(id?: string): Promise<void> {
    return this.#do('reject', id);
  }

  hangUp(id?: string): Promise<void> {
    return this.#do('hangUp', id);
  }

  mute(on: boolean, id?: string): Promise<void> {
    return this.#do('mute', on, id);
  }

  /** One or several of 0-9, *, # and A-D; a comma is a pause of two seconds. */
  sendDigit(digit: string, id?: string): Promise<void> {
    return this.#do('sendDigit', digit, id);
  }

  statistics(id?: string): Promise<PhoneStatistics> {
    return this.#do('statistics', id);
  }

  /** After `elsewhere` or `refused`, take the phone again. */
  reconnect(): Promise<void> {
    return this.#do('reconnect');
  }

  setMicrophone(deviceId: string): Promise<void> {
    return this.#do('useMicrophone', deviceId);
  }

  setSpeaker(deviceId: string): Promise<void> {
    return this.#do('useSpeaker', deviceId);
  }

  /** Level and echo of the chosen microphone, in this tab. Rejects with PhoneError; ends with its `stop`. */
  async soundCheck(): Promise<SoundCheck> {
    return new SoundCheck(await this.#microphone.open());
  }

  async #do<T>(command: Command, ...given: unknown[]): Promise<T> {
    return (await (this.#tabs.holder ? this.#carryOut(command, given) : this.#tabs.ask(command, given))) as T;
  }

  async #carryOut(command: Command, given: unknown[]): Promise<unknown> {
    const handset = this.#handset;
    if (!handset) throw new PhoneError(problem('not_ready'));
    switch (command) {
      case 'useMicrophone':
        this.#microphone.choose(String(given[0]));
        return handset.useMicrophone(true);
      case 'useSpeaker':
        return this.#useSpeaker(String(given[0]));
      default:
        return (handset[command] as (...given: unknown[]) => unknown).apply(handset, given);
    }
  }

  async #useSpeaker(id: string): Promise<void> {
    await this.#speaker.use(id);
    await this.#ringtone.useSpeaker(id);
    this.#microphone.chooseSpeaker(id);
  }

  #hold(): void {
    const { openPhone, leavePage, origin } = this.options;
    const { speaker } = this.#microphone.devices;
    if (speaker) void this.#useSpeaker(speaker).catch(() => {}); // it is not there today
    this.#handset = new Handset({
      openPhone,
      leavePage,
      origin,
      microphone: this.#microphone,
      speaker: this.#speaker,
      ringtone: this.#ringtone,
      changed: () => this.#changed(),
    });
    this.#handset.start();
  }

  /** Where nobody has clicked yet in the tab that has the phone, this one rings in its stead. */
  #mirror(state: PhoneState): void {
    const rings = state.sessions.some((session) => session.state === 'ringing');
    if (rings && state.sound === 'locked') this.#ringtone.play('ring');
    else this.#ringtone.stop();
    this.#show({ ...state, holder: false, sound: this.#ringtone.locked ? state.sound : 'unlocked' });
  }

  #changed(): void {
    const sound = this.#ringtone.locked ? 'locked' : 'unlocked';
    if (!this.#handset) return this.#show(this.#ringtone.locked ? this.#state : { ...this.#state, sound });
    const { state: microphone, devices, problem: unheard } = this.#microphone;
    const view = this.#handset.view;
    this.#show({ ...view, problem: view.problem ?? unheard, microphone, devices, sound, holder: true });
  }

  #show(state: PhoneState): void {
    this.#state = state;
    const text = JSON.stringify(state);
    if (text === this.#told) return;
    this.#told = text;
    if (state.holder) this.#tabs.show(state);
    this.options.onChange(state);
  }
}
