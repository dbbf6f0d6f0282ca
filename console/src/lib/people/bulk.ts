/** The same change to many records: a few at a time, each told as it is done, stopped at any moment. */

export interface Progress {
  done: number;
  failed: number;
}

const AT_ONCE = 4;

interface Asked {
  /** Ids in portions, as the list's pages give them. */
  ids: AsyncIterable<string[]>;
  change: (id: string) => Promise<void>;
  tell: (progress: Progress) => void;
  stopped: () => boolean;
  /** The first refusal is kept: it usually is that of all others. */
  refused: (error: unknown) => void;
}

export async function forEach({ ids, change, tell, stopped, refused }: Asked): Promise<Progress> {
  const progress = { done: 0, failed: 0 };
  const one = async (id: string): Promise<void> => {
    try {
      await change(id);
      progress.done++;
    } catch (error) {
      if (progress.failed++ === 0) refused(error);
    }
    tell({ ...progress });
  };
  for await (const portion of ids) {
    const queue = [...portion];
    const worker = async (): Promise<void> => {
      for (let id = queue.shift(); id !== undefined && !stopped(); id = queue.shift()) await one(id);
    };
    await Promise.all(Array.from({ length: AT_ONCE }, worker));
    if (stopped()) break;
  }
  return progress;
}

export async function* together(ids: string[]): AsyncGenerator<string[]> {
  yield ids;
}

/** All that a filter leaves, page after page; the next page is asked for before its forerunner is changed. */
export async function* pageByPage(
  load: (cursor: string | null) => Promise<{ items: { id: string }[]; next_cursor?: string | null }>,
): AsyncGenerator<string[]> {
  let page = await load(null);
  for (;;) {
    const next = page.next_cursor ? await load(page.next_cursor) : null;
    yield page.items.map((each) => each.id);
    if (!next) return;
    page = next;
  }
}
