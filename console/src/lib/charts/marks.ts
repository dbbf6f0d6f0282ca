/** What charts are drawn from. A chart shows nothing that the table beside it does not say. */

/** How a part is told from others without its colour. */
export type Look = 'solid' | 'striped' | 'hollow';

export interface Series {
  name: string;
  look: Look;
}

/** One column, bar or point. */
export interface Mark {
  key: string;
  name: string;
  /** What stands at the axis. */
  short: string;
  /** One for each series; null where there is no value, as the share of nothing. */
  parts: (number | null)[];
  before: number | null;
  /** Where the calls, texts or deals behind it are listed. */
  href: string | null;
}

/** All of a mark; null where it has no value. */
export function whole({ parts }: Mark): number | null {
  const known = parts.filter((part) => part !== null);
  return known.length ? known.reduce((sum, part) => sum + part, 0) : null;
}

export function highest(marks: Mark[]): number {
  return Math.max(0, ...marks.flatMap((mark) => [whole(mark) ?? 0, mark.before ?? 0]));
}
