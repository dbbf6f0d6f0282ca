import { describe, expect, it } from 'vitest';
import { Selection } from './Selection.svelte';

const IDS = ['a', 'b', 'c', 'd'];

describe('a selection', () => {
  it('takes all between two clicks with Shift', () => {
    const selection = new Selection();
    selection.toggle(IDS, 3, false);
    selection.toggle(IDS, 1, true);
    expect([...selection.ids].sort()).toEqual(['b', 'c', 'd']);
  });

  it('is of what is shown again once one is taken out of everything', () => {
    const selection = new Selection();
    selection.everything = true;
    selection.toggle(IDS, 0, false);
    expect(selection.everything).toBe(false);
    expect([...selection.ids]).toEqual(['b', 'c', 'd']);
  });
});
