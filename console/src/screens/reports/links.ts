/** From a row of the report to the log of its calls. */
import { router } from '../../lib/router.svelte';
import { session } from '../../lib/session.svelte';
import type { Answer, Line } from './rows';
import { daysOf } from './naming';

const DIRECTIONS: Record<string, string> = { in: 'inbound', out: 'outbound', internal: 'internal' };

/** Null where the log cannot be asked for just these calls: by hour, weekday or team. */
export function logOf<Sums>({ key, row }: Line<Sums>, answer: Answer<Sums>): string | null {
  if (!row || router.query.get('team')) return null;
  const all = session.may('manager');
  const asked: Record<string, string> = {
    zone: answer.time_zone,
    from: answer.from,
    to: answer.to,
    user: (all && router.query.get('user')) || '',
    direction: router.query.get('direction') ?? '',
  };
  if (answer.by === 'user' && key) asked.user = key;
  else if (answer.by === 'direction') asked.direction = key;
  else if (answer.by === 'outcome' && key) asked.outcome = key;
  else {
    const days = daysOf(answer.by, key, answer);
    if (!days) return null;
    Object.assign(asked, days);
  }
  asked.direction = DIRECTIONS[asked.direction ?? ''] ?? asked.direction ?? '';
  return `/calls?${new URLSearchParams(Object.entries(asked).filter(([, value]) => value))}`;
}
