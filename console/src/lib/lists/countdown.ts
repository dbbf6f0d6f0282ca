/** What a run shows of its countdown. Pure. */
import type { ListRun } from '../live/types';

const SECOND_US = 1_000_000;

/** Whole seconds that are left at this moment of the engine's clock; null where nothing counts down. */
export function secondsLeft(shown: ListRun, engineNowUs: number): number | null {
  const { due_us, held_us, phase } = shown.run;
  if (phase !== 'preview' && phase !== 'wrap_up') return null;
  if (held_us !== null) return Math.ceil(held_us / SECOND_US);
  return due_us === null ? null : Math.max(0, Math.ceil((due_us - engineNowUs) / SECOND_US));
}

export type Step = 'dial' | 'calling' | 'next' | 'required' | 'resume' | 'waiting';

/** What its user can do to go on. */
export function stepOf({ run, list }: ListRun): Step {
  if (run.phase === 'calling') return 'calling';
  if (run.phase === 'wrap_up') return list.wrap_up_required ? 'required' : run.paused ? 'resume' : 'next';
  if (run.paused && run.phase === 'idle') return 'resume';
  return run.phase === 'preview' ? 'dial' : 'waiting';
}
