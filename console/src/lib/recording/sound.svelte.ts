/** One piece of sound and how it stands: for a player, or for a list of which one plays at a time. */

export const SPEEDS = [1, 1.25, 1.5, 2] as const;
const KEPT = 'switchhook.speed';

export class Sound {
  playing = $state(false);
  /** Seconds. */
  at = $state(0);
  length = $state(0);
  speed = $state(Number(localStorage.getItem(KEPT)) || 1);
  /** Nothing is heard: not there any more, or not for this browser. */
  broken = $state(false);
  readonly element = new Audio();

  constructor() {
    const { element } = this;
    element.preload = 'none';
    element.addEventListener('play', () => (this.playing = true));
    element.addEventListener('pause', () => (this.playing = false));
    element.addEventListener('timeupdate', () => (this.at = element.currentTime));
    element.addEventListener('seeked', () => (this.at = element.currentTime));
    element.addEventListener('ended', () => this.seek(0));
    element.addEventListener('error', () => (this.broken = element.getAttribute('src') !== null));
    element.addEventListener('durationchange', () => {
      if (Number.isFinite(element.duration)) this.length = element.duration;
    });
  }

  /** `length` in seconds, where it is known before the sound is loaded. */
  open(address: string, length: number): void {
    if (this.element.getAttribute('src') === address) return;
    this.element.src = address;
    this.element.defaultPlaybackRate = this.element.playbackRate = this.speed;
    this.length = length;
    this.at = 0;
    this.broken = false;
  }

  toggle(): void {
    if (this.playing) this.element.pause();
    else void this.element.play().catch((error: unknown) => (this.broken = !isStopped(error)));
  }

  seek(to: number): void {
    this.at = Math.max(0, Math.min(to, this.length));
    this.element.currentTime = this.at;
  }

  faster(): void {
    const next = SPEEDS.find((speed) => speed > this.speed) ?? SPEEDS[0];
    this.speed = next;
    this.element.playbackRate = this.element.defaultPlaybackRate = next;
    localStorage.setItem(KEPT, String(next));
  }

  close(): void {
    this.element.pause();
    this.element.removeAttribute('src');
    this.playing = false;
  }
}

/** Paused or given another sound before it began: nothing is wrong. */
function isStopped(error: unknown): boolean {
  return error instanceof DOMException && error.name === 'AbortError';
}
