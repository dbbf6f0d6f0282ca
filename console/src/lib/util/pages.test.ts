import { describe, expect, it } from 'vitest';
import { Pages } from './loaded.svelte';

const SIZE = 10;
const KEPT = 3;

/** A server with so many rows, that remembers what it was asked for. */
function server(rows: number): { asked: (string | null)[]; pages: Pages<{ id: string }> } {
  const asked: (string | null)[] = [];
  const pages = new Pages<{ id: string }>(async (cursor) => {
    asked.push(cursor);
    const at = Number(cursor ?? 0);
    const items = Array.from({ length: Math.min(SIZE, rows - at) }, (_, index) => ({ id: `row ${at + index}` }));
    return { items, next_cursor: at + SIZE < rows ? String(at + SIZE) : null };
  }, KEPT);
  return { asked, pages };
}

async function down(pages: Pages<{ id: string }>): Promise<void> {
  while (!pages.done) await pages.more();
}

async function needed(pages: Pages<{ id: string }>, row: number): Promise<void> {
  for (let tries = 0; tries < 20; tries++) {
    pages.need(row, row + 5);
    for (let turn = 0; turn < 5; turn++) await Promise.resolve();
  }
}

const held = (pages: Pages<{ id: string }>): number[] => [pages.before, pages.items.length, pages.after];

describe('a list that the server gives page by page', () => {
  it('holds no more pages than it may, and says how many rows it let go of', async () => {
    const { pages } = server(100);
    await pages.begin();
    expect(held(pages)).toEqual([0, 10, 0]);
    await down(pages);
    expect(held(pages)).toEqual([70, 30, 0]);
    expect(pages.items[0]?.id).toBe('row 70');
  });

  it('reads again what comes into sight, page by page', async () => {
    const { pages } = server(100);
    await pages.begin();
    await down(pages);
    await needed(pages, 66);
    expect(held(pages)).toEqual([60, 30, 10]);
    expect(pages.items[6]?.id).toBe('row 66');
    await needed(pages, 87);
    expect(held(pages)).toEqual([70, 30, 0]);
  });

  it('reads one page where somebody jumps far away', async () => {
    const { asked, pages } = server(100);
    await pages.begin();
    await down(pages);
    asked.length = 0;
    await needed(pages, 2);
    expect(asked).toEqual([null]);
    expect(held(pages)).toEqual([0, 10, 90]);
    await needed(pages, 45);
    expect(pages.items.map(({ id }) => id)).toContain('row 45');
    expect(held(pages)[0]! + held(pages)[1]! + held(pages)[2]!).toBe(100);
  });

  it('loses no row where some were added or taken out meanwhile', async () => {
    const { pages } = server(60);
    await pages.begin();
    pages.items = [{ id: 'new' }, ...pages.items.filter(({ id }) => id !== 'row 3' && id !== 'row 4')];
    await down(pages);
    expect(pages.items.map(({ id }) => id)).toEqual(Array.from({ length: 30 }, (_, index) => `row ${30 + index}`));
    await needed(pages, 0);
    expect(pages.items[0]?.id).toBe('row 0');
    expect(held(pages)[0]! + held(pages)[1]! + held(pages)[2]!).toBe(60);
  });
});
