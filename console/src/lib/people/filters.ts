/** What a list shows, as its address says it: it can be kept, sent to a colleague and opened again. */
import type { Kind } from './records';

export type Sort = 'newest' | 'name' | 'updated';

export interface Filters {
  kind: Kind;
  q: string;
  owner: string;
  status: string;
  company: string;
  sort: Sort;
}

const KINDS = ['lead', 'contact', 'company'];
const SORTS = ['newest', 'name', 'updated'];

/** What somebody typed into the address and nobody knows is left out. */
export function fromAddress(query: URLSearchParams): Filters {
  const one = (name: string): string => query.get(name) ?? '';
  return {
    kind: (KINDS.includes(one('kind')) ? one('kind') : 'lead') as Kind,
    q: one('q'),
    owner: one('owner'),
    status: one('status'),
    company: one('company'),
    sort: (SORTS.includes(one('sort')) ? one('sort') : 'newest') as Sort,
  };
}

/** What the API is asked for; without what is not chosen. */
export function wanted(filters: Filters): Record<string, string> {
  const { kind, owner, status, company } = filters;
  const all = { kind, owner_id: owner, status, company_id: company };
  return Object.fromEntries(Object.entries(all).filter(([, value]) => value));
}

interface Filtered {
  owner_id: string | null;
  status: string;
  company_id: string | null;
}

/** The same rule for what a search found, which knows no filters. */
export function fits(item: Filtered, filters: Pick<Filters, 'owner' | 'status' | 'company'>): boolean {
  return (
    (!filters.owner || item.owner_id === filters.owner) &&
    (!filters.status || item.status === filters.status) &&
    (!filters.company || item.company_id === filters.company)
  );
}
