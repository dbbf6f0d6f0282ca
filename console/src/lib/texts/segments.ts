/**
 * How many segments a text takes, while it is typed: 3GPP TS 23.038 and 23.040, as the engine counts. The engine's own
 * count comes with the price a moment later.
 */
const BASIC = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?' +
    '¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
);
const EXTENSION = new Set('\f^{}\\[~]|€');

export interface Counted {
  encoding: 'gsm7' | 'ucs2';
  characters: number;
  segments: number;
  /** Of the last segment, in septets or units of UCS-2. */
  left: number;
}

export function count(text: string): Counted {
  const characters = [...text];
  const plain = characters.every((each) => BASIC.has(each) || EXTENSION.has(each));
  const [alone, joined] = plain ? [160, 153] : [70, 67];
  const cost = (each: string): number => (plain ? (EXTENSION.has(each) ? 2 : 1) : each.length);
  const whole = characters.reduce((sum, each) => sum + cost(each), 0);
  const encoding = plain ? 'gsm7' : 'ucs2';
  if (whole <= alone) return { encoding, characters: characters.length, segments: text ? 1 : 0, left: alone - whole };
  const { segments, used } = split(characters, cost, joined);
  return { encoding, characters: characters.length, segments, left: joined - used };
}

/** Nothing that takes two places is cut between two segments. */
function split(
  characters: string[],
  cost: (each: string) => number,
  longest: number,
): { segments: number; used: number } {
  let [segments, used] = [1, 0];
  for (const each of characters) {
    if (used + cost(each) > longest) [segments, used] = [segments + 1, 0];
    used += cost(each);
  }
  return { segments, used };
}
