/** What was paid, as it is typed; with a minus for what is taken away. */
import { toMicros } from '../../lib/people/money';

/** Micro-units; undefined for what is no amount, or nothing. */
export function signedMicros(text: string): number | undefined {
  const plain = text.normalize('NFKC').trim();
  const minus = /^[-−]/.test(plain);
  const micros = toMicros(minus ? plain.slice(1) : plain);
  if (!micros) return undefined;
  return minus ? -micros : micros;
}
