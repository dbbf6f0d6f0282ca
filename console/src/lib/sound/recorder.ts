/** Records the microphone as WAV: what browsers record by themselves (WebM, MP4) telephones do not play. */
import { Microphone } from '../phone/microphone';
import captureUrl from './capture.worklet?worker&url';
import { wav } from './wav';

/** As wide as a telephone sounds at best (G.722). */
export const RATE = 16_000;

export class Recorder {
  #blocks: Float32Array[] = [];
  #length = 0;
  #level = 0;

  private constructor(
    private readonly stream: MediaStream,
    private readonly context: AudioContext,
  ) {}

  /** Rejects with PhoneError where there is no microphone, or none that may be used. */
  static async begin(): Promise<Recorder> {
    const nobody = (): void => {};
    const stream = await new Microphone(nobody, nobody).open();
    const context = new AudioContext();
    const recorder = new Recorder(stream, context);
    try {
      await recorder.#listen();
    } catch (error) {
      recorder.cancel();
      throw error;
    }
    return recorder;
  }

  get milliseconds(): number {
    return (1000 * this.#length) / this.context.sampleRate;
  }

  /** Of the last block, 0 to 1. */
  get level(): number {
    return this.#level;
  }

  async stop(): Promise<Blob> {
    const { sampleRate } = this.context;
    this.cancel();
    if (!this.#length) throw new Error('nothing was recorded');
    return wav(await this.#resampled(sampleRate), RATE);
  }

  cancel(): void {
    for (const track of this.stream.getTracks()) track.stop();
    if (this.context.state !== 'closed') void this.context.close();
  }

  async #listen(): Promise<void> {
    await this.context.audioWorklet.addModule(captureUrl);
    const capture = new AudioWorkletNode(this.context, 'capture', {
      numberOfOutputs: 0,
      channelCount: 1,
      channelCountMode: 'explicit',
    });
    capture.port.onmessage = ({ data }: MessageEvent<Float32Array>) => this.#take(data);
    new MediaStreamAudioSourceNode(this.context, { mediaStream: this.stream }).connect(capture);
    await this.context.resume();
  }

  #take(block: Float32Array): void {
    this.#blocks.push(block);
    this.#length += block.length;
    this.#level = block.reduce((loudest, sample) => Math.max(loudest, Math.abs(sample)), 0);
  }

  async #resampled(from: number): Promise<Float32Array> {
    const buffer = new AudioBuffer({ length: this.#length, numberOfChannels: 1, sampleRate: from });
    let at = 0;
    for (const block of this.#blocks) {
      buffer.getChannelData(0).set(block, at);
      at += block.length;
    }
    const offline = new OfflineAudioContext(1, Math.ceil((this.#length * RATE) / from), RATE);
    const source = new AudioBufferSourceNode(offline, { buffer });
    source.connect(offline.destination);
    source.start();
    return (await offline.startRendering()).getChannelData(0);
  }
}
