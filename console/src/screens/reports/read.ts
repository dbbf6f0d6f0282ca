/** The reports of the API. The address of the page is free text: the engine refuses what it does not know. */
import { answer, api, type Schemas } from '../../lib/api/client';
import type { operations } from '../../lib/api/schema';

type QueryOf<Name extends keyof operations> = operations[Name] extends { parameters: { query?: infer Q } }
  ? NonNullable<Q>
  : never;

export const readCalls = (query: QueryOf<'report_calls'>): Promise<Schemas['CallsReport']> =>
  answer(api.GET('/api/v1/reports/calls', { params: { query } }));

export const readDeals = (query: QueryOf<'report_deals'>): Promise<Schemas['DealsReport']> =>
  answer(api.GET('/api/v1/reports/deals', { params: { query } }));

export const readTexts = (query: QueryOf<'report_texts'>): Promise<Schemas['TextsReport']> =>
  answer(api.GET('/api/v1/reports/texts', { params: { query } }));

export const readLists = (query: QueryOf<'report_lists'>): Promise<Schemas['ListsReport']> =>
  answer(api.GET('/api/v1/reports/lists', { params: { query } }));
