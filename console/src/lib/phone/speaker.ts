/** Where the far side is heard. */
import { PhoneError, problem } from './types';
import { volumeOf } from './volume';

type Sinkable = HTMLAudioElement & { setSinkId?: (id: string) => Promise<void> };

export class Speaker {
  /** One for each call, as an element plays one track; the first stays for as long as the page. */
  readonly #elements: Sinkable[];
  readonly #of = new Map<string, Sinkable>();
  #chosen = '';

  constructor(element: HTMLAudioElement) {
    element.autoplay = true;
    this.#elements = [element];
    this.setVolume();
  }

  attach(session: string, track: MediaStreamTrack): void {
    const element = this.#of.get(session) ?? this.#free();
    this.#of.set(session, element);
    element.srcObject = new MediaStream([track]);
    this.play();
  }

  /** Refused by the browser until somebody clicks in the page; a click asks again. */
  play(): void {
    for (const element of this.#of.values()) if (element.paused) void element.play().catch(() => {});
  }

  release(session: string): void {
    const element = this.#of.get(session);
    if (element) element.srcObject = null;
    this.#of.delete(session);
  }

  #free(): Sinkable {
    const taken = new Set(this.#of.values());
    const free = this.#elements.find((element) => !taken.has(element));
    if (free) return free;
    const made: Sinkable = new Audio();
    made.autoplay = true;
    made.volume = volumeOf('voice');
    if (this.#chosen) void made.setSinkId?.(this.#chosen).catch(() => {}); // then it plays where the system does
    this.#elements.push(made);
    return made;
  }

  /** As it is set in this browser; a telephone's own keys rule where the page may not (iOS). */
  setVolume(): void {
    for (const element of this.#elements) element.volume = volumeOf('voice');
  }

  /** Rejects with PhoneError where the browser plays only where the system does. */
  async use(id: string): Promise<void> {
    if (!('setSinkId' in HTMLMediaElement.prototype)) throw new PhoneError(problem('speaker_fixed'));
    await Promise.all(this.#elements.map((element) => element.setSinkId?.(id)));
    this.#chosen = id;
  }
}
