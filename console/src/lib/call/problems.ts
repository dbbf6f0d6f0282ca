/** What is the matter with the phone, in the page's language. */
import { language } from '../i18n/language.svelte';
import type { PhoneProblem } from '../phone/types';

export function problemInWords({ code, data }: PhoneProblem): string {
  const words = language.m.phone.problems;
  if (code === 'microphone_denied' && data.by === 'system') return words.microphone_denied_by_system;
  return words[code];
}
