import { language } from '../i18n/language.svelte';
import { toasts } from '../ui/toasts.svelte';

/** To paste it elsewhere. Pages over http may not, and browsers may refuse: then it is said what to do. */
export async function copy(text: string, done = language.m.common.copied): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toasts.say(done, 'good');
  } catch {
    toasts.say(language.m.common.notCopied(text), 'bad');
  }
}
