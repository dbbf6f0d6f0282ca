/** Which of the tables holds, by the engine's rule: of those for one direction and trunk the one that began last. */
import type { Schemas } from '../../lib/api/client';
import { nowUs } from '../../lib/util/format';

type Table = Schemas['RateTable'];

export function stateOf(table: Table, all: Table[], now = nowUs()): 'holds' | 'later' | 'over' | 'replaced' {
  if (table.valid_from_us > now) return 'later';
  if (table.valid_until_us !== null && table.valid_until_us <= now) return 'over';
  const holds = all
    .filter(
      (each) =>
        each.direction === table.direction &&
        each.trunk_id === table.trunk_id &&
        each.valid_from_us <= now &&
        (each.valid_until_us === null || now < each.valid_until_us),
    )
    .sort((one, other) => other.valid_from_us - one.valid_from_us || (other.id > one.id ? 1 : -1))[0];
  return holds?.id === table.id ? 'holds' : 'replaced';
}
