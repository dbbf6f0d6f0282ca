/** The microphone: opened for each call, and again when it is unplugged or another one chosen. */
import { microphoneRefused } from './problems';
import { PhoneError, problem, type AudioDevice, type Devices, type MicrophoneState, type PhoneProblem } from './types';

const SETTLES_MS = 250;
/** Which devices were chosen is kept for this browser: a computer has its own headset. */
const MICROPHONE_KEY = 'switchhook.microphone';
export const SPEAKER_KEY = 'switchhook.speaker';

export class Microphone {
  state: MicrophoneState = 'unknown';
  problem: PhoneProblem | null = null;
  devices: Devices;
  #settling: ReturnType<typeof setTimeout> | undefined;
  #permission: PermissionStatus | null = null;

  /** `changed`: what is shown has; `plugged`: devices have come or gone. */
  constructor(
    private readonly changed: () => void,
    private readonly plugged: () => void,
  ) {
    this.devices = { microphones: [], speakers: [], microphone: kept(MICROPHONE_KEY), speaker: kept(SPEAKER_KEY) };
  }

  watch(): void {
    navigator.mediaDevices?.addEventListener('devicechange', this.#devicesChanged);
    void this.#watchPermission();
    void this.list();
  }

  close(): void {
    navigator.mediaDevices?.removeEventListener('devicechange', this.#devicesChanged);
    clearTimeout(this.#settling);
    if (this.#permission) this.#permission.onchange = null;
  }

  /** The sound of the chosen microphone, or of the system's where that is not there. Rejects with PhoneError. */
  async open(): Promise<MediaStream> {
    if (!navigator.mediaDevices) return this.#refused('missing', problem('insecure_page'));
    try {
      const stream = await this.#openChosen();
      this.#now('granted', null);
      if (!this.devices.microphones.some((device) => device.label)) void this.list();
      return stream;
    } catch (error) {
      const why = microphoneRefused(error, navigator.userAgent);
      return this.#refused(why.state, why.problem);
    }
  }

  async #openChosen(): Promise<MediaStream> {
    const { microphone } = this.devices;
    if (microphone) {
      try {
        return await navigator.mediaDevices.getUserMedia(wanted({ deviceId: { exact: microphone } }));
      } catch (error) {
        if (!['OverconstrainedError', 'NotFoundError'].includes((error as Error).name)) throw error;
      }
    }
    return navigator.mediaDevices.getUserMedia(wanted({}));
  }

  choose(id: string): void {
    this.devices = { ...this.devices, microphone: id };
    keep(MICROPHONE_KEY, id);
    this.changed();
  }

  chooseSpeaker(id: string): void {
    this.devices = { ...this.devices, speaker: id };
    keep(SPEAKER_KEY, id);
    this.changed();
  }

  async list(): Promise<void> {
    const all = (await navigator.mediaDevices?.enumerateDevices().catch(() => [])) ?? [];
    this.devices = { ...this.devices, microphones: named(all, 'audioinput'), speakers: named(all, 'audiooutput') };
    this.changed();
  }

  /** A headset that is plugged in comes as several devices, one after the other. */
  #devicesChanged = (): void => {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => void this.list().then(this.plugged), SETTLES_MS);
  };

  async #watchPermission(): Promise<void> {
    const asked = navigator.permissions?.query({ name: 'microphone' as PermissionName });
    this.#permission = (await asked?.catch(() => null)) ?? null; // not every browser tells
    if (!this.#permission) return;
    this.#permission.onchange = () => this.#permissionChanged();
    if (this.state === 'unknown') this.#permissionChanged(); // opening it meanwhile told more: there may be none
  }

  #permissionChanged(): void {
    const { state } = this.#permission ?? {};
    if (state === 'granted') this.#now('granted', null);
    else if (state === 'denied') {
      this.#now('denied', microphoneRefused(new DOMException('', 'NotAllowedError'), navigator.userAgent).problem);
    } else if (this.state === 'denied') this.#now('unknown', null);
  }

  #refused(state: MicrophoneState, why: PhoneProblem): never {
    this.#now(state, why);
    throw new PhoneError(why);
  }

  #now(state: MicrophoneState, why: PhoneProblem | null): void {
    if (this.state === state && this.problem?.code === why?.code) return;
    this.state = state;
    this.problem = why;
    this.changed();
  }
}

function wanted(more: MediaTrackConstraints): MediaStreamConstraints {
  return { audio: { echoCancellation: true, noiseSuppression: true, autoGainControl: true, ...more }, video: false };
}

function named(all: MediaDeviceInfo[], kind: MediaDeviceKind): AudioDevice[] {
  const mine = all.filter((device) => device.kind === kind && device.deviceId);
  return mine.map(({ deviceId, label }) => ({ id: deviceId, label }));
}

function kept(key: string): string {
  try {
    return localStorage.getItem(key) ?? '';
  } catch {
    return ''; // storage is switched off here: the choice holds until the page is left
  }
}

function keep(key: string, value: string): void {
  try {
    localStorage.setItem(key, value);
  } catch {
    // as above
  }
}
