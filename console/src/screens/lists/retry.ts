/** The rules by which an entry of a list comes again, as people write them: a number and a unit instead of minutes. */
import type { Schemas } from '../../lib/api/client';

export type Rule = Schemas['RetryRule'];
export const UNITS = { minutes: 1, hours: 60, days: 1440 } as const;
export type Unit = keyof typeof UNITS;

/** One line of the table; `key` is its own for as long as the page stands. */
export interface Line {
  key: number;
  on: string;
  wait: string;
  unit: Unit;
  calls: string;
}

/** In the largest unit that says it whole. */
export function lineOf(rule: Rule, key: number): Line {
  const unit = (['days', 'hours'] as const).find((each) => rule.after_minutes % UNITS[each] === 0) ?? 'minutes';
  return { key, on: rule.on, wait: String(rule.after_minutes / UNITS[unit]), unit, calls: String(rule.calls) };
}

/** What the engine takes: whole minutes, whole calls. */
export function fits(line: Line): boolean {
  const { after_minutes, calls } = ruleOf(line);
  return after_minutes >= 1 && Number.isInteger(calls) && calls >= 1;
}

/** What is no number stays none. */
export function ruleOf({ on, wait, unit, calls }: Line): Rule {
  return { on, after_minutes: Math.round(Number(wait || NaN) * UNITS[unit]), calls: Number(calls || NaN) };
}
