/**
 * A list that is taller than a browser lets an element be (Firefox: 17 million pixels, Chromium: 33 million) stands in an
 * element of MOST: `place` is where this is scrolled to, and `shift` how much further the list is. Small steps move the
 * list pixel by pixel, whatever its length; a jump goes to the same part of the list as of the element. Near both ends
 * place and list go together, so that whoever scrolls there arrives.
 */
export const MOST = 8_000_000;
const NEAR = 200_000;

export class Tall {
  readonly height: number;

  constructor(
    readonly total: number,
    readonly seen: number,
  ) {
    this.height = Math.min(total, MOST);
  }

  /** How far the list is ahead of this place. */
  shiftAt(place: number): number {
    const part = (place - NEAR) / (this.height - this.seen - 2 * NEAR);
    return Math.round(Math.max(0, Math.min(1, part)) * (this.total - this.height));
  }

  /** The place that stands for this part of the list. */
  placeOf(top: number): number {
    const ahead = this.total - this.height;
    if (top <= NEAR) return top;
    if (top >= this.total - this.seen - NEAR) return top - ahead;
    const part = (top - NEAR) / (this.total - this.seen - 2 * NEAR);
    return Math.round(NEAR + part * (this.height - this.seen - 2 * NEAR));
  }

  /** The shift after a step from one place to another. */
  moved(from: number, to: number, shift: number): number {
    if (this.total === this.height) return 0;
    return Math.abs(to - from) > 2 * this.seen ? this.shiftAt(to) : shift;
  }

  /** Whether the element ends here before the list does. */
  stuck(place: number, shift: number): boolean {
    const edge = place < NEAR / 2 || place > this.height - this.seen - NEAR / 2;
    return edge && shift !== this.shiftAt(place);
  }
}
