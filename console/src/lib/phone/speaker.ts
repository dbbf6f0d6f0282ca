/** Where the far side is heard. */
import { PhoneError, problem } from './types';

type Sinkable = HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> };

export class Speaker {
  readonly #element: Sinkable;

  constructor(element: HTMLAudioElement) {
    this.#element = element;
    this.#element.autoplay = true;
  }

  attach(track: MediaStreamTrack): void {
    this.#element.srcObject = new MediaStream([track]);
    this.play();
  }

  /** Refused by the browser until somebody clicks in the page; a click asks again. */
  play(): void {
    if (this.#element.srcObject && this.#element.paused) void this.#element.play().catch(() => {});
  }

  silence(): void {
    this.#element.srcObject = null;
  }

  /** Rejects with PhoneError where the browser plays only where the system does. */
  async use(id: string): Promise<void> {
    if (!this.#element.setSinkId) throw new PhoneError(problem('speaker_fixed'));
    await this.#element.setSinkId(id);
  }
}
