import { expect, test } from 'vitest';
import type { ListRun } from '../live/types';
import { secondsLeft, stepOf } from './countdown';

function shown(run: Partial<ListRun['run']>, required = false): ListRun {
  const list = { id: 'list_1', name: 'Spring', preview_s: 10, wrap_up_s: 20, wrap_up_required: required };
  const blank = { phase: 'idle', paused: '', reason: '', due_us: null, held_us: null };
  return { run: { ...blank, ...run }, list, entry: null, now_us: 0 } as unknown as ListRun;
}

test('a countdown shows whole seconds, and stands still while somebody types', () => {
  expect(secondsLeft(shown({ phase: 'preview', due_us: 10_000_000 }), 4_400_000)).toBe(6);
  expect(secondsLeft(shown({ phase: 'preview', due_us: 10_000_000 }), 12_000_000)).toBe(0);
  expect(secondsLeft(shown({ phase: 'wrap_up', held_us: 5_500_000 }), 99_000_000)).toBe(6);
  expect(secondsLeft(shown({ phase: 'idle', due_us: 10_000_000 }), 0)).toBeNull();
});

test('what comes next follows from the phase, from a pause and from a required summary', () => {
  expect(stepOf(shown({ phase: 'preview', paused: 'user' }))).toBe('dial');
  expect(stepOf(shown({ phase: 'wrap_up' }))).toBe('next');
  expect(stepOf(shown({ phase: 'wrap_up' }, true))).toBe('required');
  expect(stepOf(shown({ phase: 'idle', paused: 'away' }))).toBe('resume');
  expect(stepOf(shown({ phase: 'idle' }))).toBe('waiting');
});
