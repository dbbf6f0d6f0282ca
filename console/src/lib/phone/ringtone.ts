/**
 * Ringing and the ringback tone, made here: no file to load when a call comes. A browser lets no page sound before
 * somebody has clicked in it, so "Start shift" calls `unlock`; any click or key does, too.
 */

import { kept } from '../util/kept';
import { SPEAKER_KEY } from './microphone';
import { type Heard, volumeOf, watchVolume } from './volume';

interface Cadence {
  hz: readonly [number, number];
  /** On and off in seconds, again and again. */
  pattern: readonly number[];
  volume: number;
  /** What of the browser's own volumes it follows. */
  heard: Heard;
}

const RING: Cadence = { hz: [880, 1109], pattern: [0.35, 0.15, 0.35, 1.65], volume: 0.14, heard: 'ring' };
const RINGBACK: Cadence = { hz: [440, 480], pattern: [2, 4], volume: 0.05, heard: 'voice' };
/** A tone that begins or ends at once clicks. */
const EDGE_S = 0.015;
const SAMPLE_MS = 900;

export type Tone = 'ring' | 'ringback';

export class Ringtone {
  #context: AudioContext | null = null;
  #playing: { tone: Tone; stop: () => void } | null = null;
  #wanted: Tone | null = null;

  /** `changed` is called when the browser begins to let us sound, or ceases to. */
  constructor(private readonly changed: () => void) {}

  get locked(): boolean {
    return this.#context?.state !== 'running';
  }

  /** Listen for the first click or key, whatever it is meant for. Returns what ends that. */
  watch(): () => void {
    const unlock = (): void => void this.unlock();
    addEventListener('pointerdown', unlock);
    addEventListener('keydown', unlock);
    return () => {
      removeEventListener('pointerdown', unlock);
      removeEventListener('keydown', unlock);
    };
  }

  async unlock(): Promise<void> {
    if (!this.#context) {
      this.#context = new AudioContext();
      this.#context.onstatechange = () => this.#stateChanged();
    }
    // It may stay pending until somebody clicks, so nobody waits for it.
    if (this.locked) void this.#context.resume().catch(() => {});
  }

  #stateChanged(): void {
    if (!this.locked && this.#wanted && !this.#playing) this.play(this.#wanted);
    this.changed();
  }

  play(tone: Tone): void {
    this.#wanted = tone;
    if (this.#playing?.tone === tone) return;
    this.#playing?.stop();
    this.#playing = null;
    void this.unlock();
    if (this.#context && !this.locked)
      this.#playing = { tone, stop: sound(this.#context, tone === 'ring' ? RING : RINGBACK) };
  }

  stop(): void {
    this.#wanted = null;
    this.#playing?.stop();
    this.#playing = null;
  }

  /** Where the browser can (Chrome), also ring there. */
  async useSpeaker(id: string): Promise<void> {
    await this.unlock();
    await (this.#context as { setSinkId?: (id: string) => Promise<void> } | null)?.setSinkId?.(id);
  }

  async close(): Promise<void> {
    this.stop();
    await this.#context?.close();
    this.#context = null;
  }
}

/** One ring, to hear how loud it is; where this browser was told to sound. */
export async function sample(): Promise<void> {
  const once = new Ringtone(() => {});
  await once.useSpeaker(kept(SPEAKER_KEY) ?? '').catch(() => {}); // it is not there today
  once.play('ring');
  setTimeout(() => void once.close(), SAMPLE_MS);
}

/** Returns what stops it. The cadence is written ahead into the sound's own clock, which goes on in a tab at the back. */
function sound(context: AudioContext, cadence: Cadence): () => void {
  const gain = new GainNode(context, { gain: 0 });
  const whole = new GainNode(context, { gain: volumeOf(cadence.heard) });
  gain.connect(whole).connect(context.destination);
  const unwatch = watchVolume(() => (whole.gain.value = volumeOf(cadence.heard)));
  const tones = cadence.hz.map((frequency) => new OscillatorNode(context, { frequency }));
  for (const tone of tones) {
    tone.connect(gain);
    tone.start();
  }
  let at = context.currentTime + 0.02;
  const write = (): void => {
    for (const [index, seconds] of cadence.pattern.entries()) {
      if (index % 2 === 0) pulse(gain.gain, at, seconds, cadence.volume);
      at += seconds;
    }
  };
  const ahead = (): void => {
    while (at < context.currentTime + 65) write(); // timers of a hidden tab run once a minute
  };
  ahead();
  const timer = setInterval(ahead, 1_000);
  return () => {
    clearInterval(timer);
    unwatch();
    for (const tone of tones) tone.stop();
    whole.disconnect();
  };
}

function pulse(gain: AudioParam, at: number, seconds: number, volume: number): void {
  gain.setValueAtTime(0, at);
  gain.linearRampToValueAtTime(volume, at + EDGE_S);
  gain.setValueAtTime(volume, at + seconds - EDGE_S);
  gain.linearRampToValueAtTime(0, at + seconds);
}
