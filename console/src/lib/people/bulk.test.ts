import { describe, expect, it } from 'vitest';
import { forEach, pageByPage, together, type Progress } from './bulk';

const asked = (over: Partial<Parameters<typeof forEach>[0]> = {}) => ({
  ids: together(['a', 'b', 'c']),
  change: async () => {},
  tell: () => {},
  stopped: () => false,
  refused: () => {},
  ...over,
});

describe('a change to many', () => {
  it('reaches each once and tells how far it is', async () => {
    const [changed, told]: [string[], Progress[]] = [[], []];
    const change = async (id: string): Promise<void> => void changed.push(id);
    const end = await forEach(asked({ change, tell: (progress) => told.push(progress) }));
    expect(changed.sort()).toEqual(['a', 'b', 'c']);
    expect(end).toEqual({ done: 3, failed: 0 });
    expect(told.at(-1)).toEqual(end);
  });

  it('goes on after a refusal and keeps the first', async () => {
    const refusals: unknown[] = [];
    const change = (id: string): Promise<void> => (id === 'b' ? Promise.reject('no') : Promise.resolve());
    const end = await forEach(asked({ change, refused: (error) => refusals.push(error) }));
    expect(end).toEqual({ done: 2, failed: 1 });
    expect(refusals).toEqual(['no']);
  });

  it('stops when it is told to', async () => {
    let done = 0;
    const ids = together(Array.from({ length: 100 }, (_, index) => String(index)));
    await forEach(asked({ ids, change: async () => void done++, stopped: () => done >= 8 }));
    expect(done).toBeLessThan(16);
  });

  it('goes through all pages', async () => {
    const pages: Record<string, { items: { id: string }[]; next_cursor: string | null }> = {
      '': { items: [{ id: '1' }, { id: '2' }], next_cursor: 'x' },
      x: { items: [{ id: '3' }], next_cursor: null },
    };
    const found: string[] = [];
    for await (const portion of pageByPage(async (cursor) => pages[cursor ?? '']!)) found.push(...portion);
    expect(found).toEqual(['1', '2', '3']);
  });
});
