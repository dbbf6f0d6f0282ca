/** Which of the calls that are selected wait for one's own summary. */
import { answer, api, type Schemas } from '../api/client';
import type { Query } from './filters';

const PAGE = 200;

/** Ids of calls, out of those that are named or out of all that the log's question finds. */
export async function openSummaries(query: Query, named: ReadonlySet<string> | null): Promise<string[]> {
  const open = await drafts();
  if (named) return [...named].filter((id) => open.has(id));
  const found: string[] = [];
  let cursor: string | null | undefined;
  while (found.length < open.size) {
    const params = { query: { ...query, limit: PAGE, cursor: cursor ?? undefined } };
    const page = await answer(api.GET('/api/v1/calls', { params }));
    found.push(...page.items.map(({ id }) => id).filter((id) => open.has(id)));
    cursor = page.next_cursor;
    if (!cursor) break;
  }
  return found;
}

/** Of calls that are over: what is still talked in is not summed up yet. */
async function drafts(): Promise<Set<string>> {
  const found = new Set<string>();
  let cursor: string | null | undefined;
  do {
    const params = { query: { state: 'draft' as const, limit: PAGE, cursor: cursor ?? undefined } };
    const page = await answer(api.GET('/api/v1/summaries', { params }));
    for (const each of page.items) if (each.call_ended_us !== null) found.add(each.call_id);
    cursor = page.next_cursor;
  } while (cursor);
  return found;
}

const MOST_PEOPLE = 20;

/** The deals of those who were called, each once; of many people those that were called last. */
export async function topicsOf(calls: Schemas['Call'][]): Promise<Schemas['Deal'][]> {
  const people = [...new Set(calls.map(({ record_id }) => record_id))].filter((id) => id !== null);
  const pages = await Promise.all(
    people
      .slice(0, MOST_PEOPLE)
      .map((id) =>
        id.startsWith('deal_')
          ? answer(api.GET('/api/v1/deals/{deal}', { params: { path: { deal: id } } })).then((deal) => [deal])
          : answer(api.GET('/api/v1/deals', { params: { query: { record_id: id } } })).then(({ items }) => items),
      ),
  );
  return [...new Map(pages.flat().map((deal) => [deal.id, deal])).values()];
}

/** What was saved stays saved, what is open stays open. */
export async function setTopic(call: string, deal_id: string | null): Promise<void> {
  const params = { path: { call } };
  const { state } = await answer(api.GET('/api/v1/calls/{call}/summary', { params }));
  if (state === 'saved') await answer(api.POST('/api/v1/calls/{call}/summary/save', { params, body: { deal_id } }));
  else await answer(api.PUT('/api/v1/calls/{call}/summary', { params, body: { deal_id } }));
}
