/** Call a number from a list, filed under the record it stands at. */
import { voice } from '../voice.svelte';
import type { Who } from './who';

export function callBack(number: string, record: Who['record'] = null): Promise<boolean> {
  return voice.tried(voice.dial(number, { recordId: record?.id }));
}
