/** A click on a number (V4, V5). */
import { answer, api, idempotencyKey } from '../api/client';
import { toasts } from '../ui/toasts.svelte';

export interface HowToCall {
  /** Whose number it is: where several people share it, the call is filed under this one. */
  recordId?: string;
  /** Ring the user's forwarding phone first, instead of a phone that is registered. */
  forwarding?: boolean;
}

export async function call(number: string, { recordId, forwarding }: HowToCall = {}): Promise<void> {
  try {
    const body = { to: number, via: forwarding ? ('forwarding' as const) : undefined };
    const header = { 'Idempotency-Key': idempotencyKey() };
    const dialled = await answer(api.POST('/api/v1/calls', { body, params: { header } }));
    if (recordId && dialled.call.record_id !== recordId) {
      const path = { call: dialled.id };
      await answer(api.PUT('/api/v1/calls/{call}/record', { params: { path }, body: { record_id: recordId } }));
    }
  } catch (error) {
    toasts.failed(error);
  }
}
