/** From a row of the report to the log of its calls. */
import { router } from '../../lib/router.svelte';
import { session } from '../../lib/session.svelte';
import type { Answer, Line } from './rows';
import { daysOf } from './naming';
import { days } from './ranges';

const DIRECTIONS: Record<string, string> = { in: 'inbound', out: 'outbound', internal: 'internal' };

/** So many days the log can look through for hours and weekdays. */
const BY_THE_CLOCK = 366;

/** Null where the log cannot be asked for just these calls: of nobody, in no team, or by hour over years. */
export function logOf<Sums>({ key, row }: Pick<Line<Sums>, 'key' | 'row'>, answer: Answer<Sums>): string | null {
  if (!row) return null;
  const all = session.may('manager');
  const asked: Record<string, string> = {
    zone: answer.time_zone,
    from: answer.from,
    to: answer.to,
    user: (all && router.query.get('user')) || '',
    team: (all && !router.query.get('user') && router.query.get('team')) || '',
    direction: router.query.get('direction') ?? '',
  };
  if (answer.by === 'user' && key) asked.user = key;
  else if (answer.by === 'direction') asked.direction = key;
  else if (answer.by === 'outcome' && key) asked.outcome = key;
  else if (answer.by === 'team' && key) asked.team = key;
  else if (answer.by === 'hour' || answer.by === 'weekday' || answer.by === 'heat') {
    if (days(answer) > BY_THE_CLOCK) return null;
    const [first = '', hour = ''] = key.split('-');
    Object.assign(asked, answer.by === 'heat' ? { weekday: first, hour } : { [answer.by]: key });
  } else {
    const stretch = daysOf(answer.by, key, answer);
    if (!stretch) return null;
    Object.assign(asked, stretch);
  }
  asked.direction = DIRECTIONS[asked.direction ?? ''] ?? asked.direction ?? '';
  return `/calls?${new URLSearchParams(Object.entries(asked).filter(([, value]) => value))}`;
}
