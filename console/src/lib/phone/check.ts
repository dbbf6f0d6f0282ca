/** Before the shift: how loud the microphone is, and oneself as others hear one, a second later. */

const ECHO_DELAY_S = 0.9;

export class SoundCheck {
  readonly #context = new AudioContext();
  readonly #analyser: AnalyserNode;
  readonly #samples: Float32Array<ArrayBuffer>;
  readonly #source: MediaStreamAudioSourceNode;
  #echo: { delay: DelayNode; audio: HTMLAudioElement } | null = null;

  /** The stream is ours from now on and ends with `stop`. */
  constructor(private readonly stream: MediaStream) {
    this.#analyser = new AnalyserNode(this.#context, { fftSize: 1024 });
    this.#samples = new Float32Array(this.#analyser.fftSize);
    this.#source = new MediaStreamAudioSourceNode(this.#context, { mediaStream: stream });
    this.#source.connect(this.#analyser);
    void this.#context.resume();
  }

  /** 0 to 1, on a scale on which speech moves about the middle. Ask as often as it is drawn. */
  level(): number {
    this.#analyser.getFloatTimeDomainData(this.#samples);
    const power = this.#samples.reduce((sum, sample) => sum + sample * sample, 0) / this.#samples.length;
    const decibels = 10 * Math.log10(power + 1e-10);
    return Math.min(1, Math.max(0, (decibels + 60) / 50));
  }

  /** Through an audio element, so that it comes out of the chosen speaker. */
  async echo(on: boolean, speaker = ''): Promise<void> {
    this.#echo?.delay.disconnect();
    this.#echo?.audio.pause();
    this.#echo = null;
    if (!on) return;
    const delay = new DelayNode(this.#context, { delayTime: ECHO_DELAY_S, maxDelayTime: ECHO_DELAY_S });
    const out = new MediaStreamAudioDestinationNode(this.#context);
    this.#source.connect(delay).connect(out);
    const audio: HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> } = new Audio();
    this.#echo = { delay, audio };
    audio.srcObject = out.stream;
    if (speaker) await audio.setSinkId?.(speaker);
    await audio.play();
  }

  async stop(): Promise<void> {
    await this.echo(false);
    for (const track of this.stream.getTracks()) track.stop();
    await this.#context.close();
  }
}
