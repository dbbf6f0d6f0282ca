/** Where values stand in a chart: round marks on the axis, and as many labels as there is room for. */

export interface Scale {
  /** From 0 to the end of the axis. */
  ticks: number[];
  max: number;
}

const ROUND = [1, 2, 5, 10];
const MINUTES = [1, 2, 5, 10, 15, 30, 60, 120, 180, 360, 720, 1_440];

/** At most `most` steps of 1, 2 or 5 times a power of ten; whole numbers only, for what is counted. */
export function counted(highest: number, most = 4): Scale {
  const rough = Math.max(1, highest) / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = ROUND.map((each) => each * power).find((each) => each >= rough && Number.isInteger(each)) ?? 1;
  return upTo(highest, step);
}

/** Steps that a clock has, for seconds. Beyond two days they are round numbers of hours. */
export function timed(highest: number, most = 4): Scale {
  const rough = Math.max(1, highest) / most;
  if (rough <= 30) return upTo(highest, [1, 2, 5, 10, 15, 30].find((each) => each >= rough) ?? 30);
  const minutes = MINUTES.find((each) => each * 60 >= rough);
  if (minutes) return upTo(highest, minutes * 60);
  const hours = counted(highest / 3_600, most);
  return { ticks: hours.ticks.map((each) => each * 3_600), max: hours.max * 3_600 };
}

/** Shares are of a whole. */
export function shared(): Scale {
  return { ticks: [0, 0.25, 0.5, 0.75, 1], max: 1 };
}

function upTo(highest: number, step: number): Scale {
  const steps = Math.max(1, Math.ceil(highest / step));
  return { ticks: Array.from({ length: steps + 1 }, (_, index) => index * step), max: steps * step };
}

/** Every how many columns one has its label, where each label is this wide. */
export function every(columns: number, width: number, label: number): number {
  const room = Math.max(1, Math.floor(width / label));
  return Math.max(1, Math.ceil(columns / room));
}

/** How strong a cell of a heat map is: 0 for nothing, else 1 to `levels`. */
export function level(value: number, highest: number, levels = 5): number {
  if (value <= 0 || highest <= 0) return 0;
  return Math.min(levels, Math.max(1, Math.ceil((value / highest) * levels)));
}
