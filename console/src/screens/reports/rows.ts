/** The rows of an answer as they are drawn and listed: named, and beside what was before. */
import type { Mark } from '../../lib/charts/marks';
import type { Measure, Named } from './figures';
import { isDate, nameOf } from './naming';
import type { Range } from './ranges';

/** What every report answers with. */
export interface Answer<Sums> extends Range {
  by: string;
  time_zone: string;
  rows: (Named & Sums)[];
  total: Sums;
  before: (Range & { rows: (Named & Sums)[]; total: Sums }) | null;
}

export interface Line<Sums> {
  key: string;
  name: string;
  short: string;
  /** Null for what there was only before. */
  row: Sums | null;
  before: Sums | null;
}

/** In the engine's order. A day stands beside the day in the same place before, all else beside its like. */
export function linesOf<Sums>({ by, rows, before }: Answer<Sums>): Line<Sums>[] {
  const then = new Map((before?.rows ?? []).map((row) => [row.key, row]));
  const lines = rows.map((row, index): Line<Sums> => {
    const old = isDate(by) ? before?.rows[index] : then.get(row.key);
    return { key: row.key, ...nameOf(by, row.key, row.label), row, before: old ?? null };
  });
  if (isDate(by)) return lines;
  const known = new Set(rows.map(({ key }) => key));
  const gone = [...then.values()].filter(({ key }) => !known.has(key));
  return [
    ...lines,
    ...gone.map((old) => ({ key: old.key, ...nameOf(by, old.key, old.label), row: null, before: old })),
  ];
}

/** Who had nothing made no calls, and has no rate of answers. */
export function value<Sums>({ of, kind }: Pick<Measure<Sums>, 'of' | 'kind'>, sums: Sums | null): number | null {
  return sums ? of(sums) : kind === 'share' ? null : 0;
}

export function marksOf<Sums>(
  lines: Line<Sums>[],
  measure: Measure<Sums>,
  compared: boolean,
  href: (line: Line<Sums>) => string | null,
): Mark[] {
  const { kind } = measure;
  return lines.map((line) => ({
    key: line.key,
    name: line.name,
    short: line.short,
    parts: (measure.parts ?? [measure]).map(({ of }) => value({ of, kind }, line.row)),
    before: compared ? value(measure, line.before) : null,
    href: href(line),
  }));
}

/** By a figure, or by name; what is in an order of its own goes by that. What has no value is last either way. */
export function sorted<Sums>(
  lines: Line<Sums>[],
  measure: Measure<Sums> | null,
  downwards: boolean,
  inOrder: boolean,
): Line<Sums>[] {
  const way = downwards ? -1 : 1;
  if (!measure && inOrder) return downwards ? [...lines].reverse() : lines;
  if (!measure) return [...lines].sort((one, other) => way * one.name.localeCompare(other.name));
  return [...lines].sort((one, other) => {
    const [a, b] = [value(measure, one.row), value(measure, other.row)];
    if (a === null || b === null) return Number(a === null) - Number(b === null);
    return way * (a - b);
  });
}
