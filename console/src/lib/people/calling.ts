/** A click on a number (V4, V5). */
import { voice } from '../voice.svelte';

export interface HowToCall {
  /** Whose number it is: where several people share it, the call is filed under this one. */
  recordId?: string;
  /** Ring the user's forwarding phone first, whatever is chosen for other calls. */
  forwarding?: boolean;
}

export async function call(number: string, { recordId, forwarding }: HowToCall = {}): Promise<void> {
  await voice.tried(voice.dial(number, { recordId, via: forwarding ? 'forwarding' : undefined }));
}
