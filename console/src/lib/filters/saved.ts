/** Filters that are kept under a name: what of an address is one, and which of those that are kept it is. */
import type { Schemas } from '../api/client';

export type SavedFilter = Schemas['SavedFilter'];
export type FilterPage = Schemas['NewSavedFilter']['page'];

/** Where somebody stands in the list is no part of its filter. */
const PLACE = ['cursor', 'conversation'];

/** As it is kept: in the order of the address, without what is empty. */
export function filterIn(address: URLSearchParams): string {
  const kept = [...address].filter(([name, value]) => value !== '' && !PLACE.includes(name));
  return new URLSearchParams(kept).toString();
}

/** Whether two ask the same; the order in which something was chosen is no difference. */
export function same(one: string, other: string): boolean {
  const sorted = (query: string): string => {
    const parts = new URLSearchParams(query);
    parts.sort();
    return parts.toString();
  };
  return sorted(one) === sorted(other);
}
