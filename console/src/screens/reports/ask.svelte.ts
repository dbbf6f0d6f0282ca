/** What is asked for, as it stands in the address: a report can be kept and sent to a colleague. */
import { router } from '../../lib/router.svelte';
import { session } from '../../lib/session.svelte';
import { dayIn, PRESETS, rangeOf, todayIn, type Preset, type Range } from './ranges';

export const DIRECTIONS = ['in', 'out', 'internal'] as const;
type Direction = (typeof DIRECTIONS)[number];
export type Filter = 'user' | 'team' | 'direction';
const AS_USUAL = 'month' satisfies Preset;

class Ask {
  /** By which clock the days are: the last answer said so; until there is one, probably by that of whoever asks. */
  zone = $state('');
  readonly preset = $derived.by<Preset>(() => {
    const asked = PRESETS.find((each) => each === router.query.get('range'));
    return asked ?? (router.query.get('from') ? 'own' : AS_USUAL);
  });
  readonly range = $derived.by<Range>(() => {
    const today = todayIn(this.zone || session.me.time_zone);
    if (this.preset !== 'own') return rangeOf(this.preset, today);
    const from = dayIn(router.query.get('from')) ?? rangeOf(AS_USUAL, today).from;
    return { from, to: dayIn(router.query.get('to')) ?? today };
  });
  readonly compared = $derived(router.query.get('compare') !== 'no');
  /** Whose, of what a report can be asked for: reps have their own figures and no choice. */
  of(filters: readonly Filter[]): { user_id?: string; group_id?: string; direction?: Direction } {
    const asked = (name: Filter): string | null =>
      filters.includes(name) && (name === 'direction' || session.may('manager')) ? router.query.get(name) : null;
    const [user, team] = [asked('user'), asked('team')];
    const direction = DIRECTIONS.find((each) => each === asked('direction'));
    return {
      ...(user ? { user_id: user } : {}),
      ...(team && !user ? { group_id: team } : {}),
      ...(direction ? { direction } : {}),
    };
  }

  choose(preset: Preset): void {
    const { from, to } = this.range;
    if (preset === 'own') router.ask({ range: null, from, to });
    else router.ask({ range: preset === AS_USUAL ? null : preset, from: null, to: null });
  }

  /** A user, or the users of a team: not both. */
  narrow(name: Filter, value: string): void {
    const other = { user: 'team', team: 'user', direction: null }[name];
    router.ask({ [name]: value, ...(other && value ? { [other]: null } : {}) });
  }

  /** The one of these that the address names, else the first. */
  among<Choice extends string>(name: string, choices: readonly Choice[]): Choice {
    return choices.find((each) => each === router.query.get(name)) ?? choices[0]!;
  }
}

export const ask = new Ask();
