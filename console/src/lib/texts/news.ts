/** A text that came is told: in the page where its conversation is not open, and as a notification where the page is not
 * in front. */
import { language } from '../i18n/language.svelte';
import { live } from '../live/live.svelte';
import { router } from '../router.svelte';
import { session } from '../session.svelte';
import { toasts } from '../ui/toasts.svelte';
import { nameOf, type Conversation, type Text } from './who';

export function addressOf(conversation: string): string {
  return `/texts/${encodeURIComponent(conversation)}`;
}

function tell(text: Text, conversation: Conversation): void {
  const words = language.m.work.text;
  const [title, show] = [words.from(nameOf(conversation)), () => router.go(addressOf(conversation.id))];
  if (router.path !== addressOf(conversation.id))
    toasts.say(`${title}: ${text.body.slice(0, 80)}`, 'info', { label: words.show, does: show });
  if (document.hasFocus() || !('Notification' in globalThis) || Notification.permission !== 'granted') return;
  const notification = new Notification(title, { body: text.body, tag: text.id });
  notification.onclick = () => {
    window.focus();
    notification.close();
    show();
  };
}

/** Gives the function that ends it. */
export function tellOfTexts(): () => void {
  const told = new Set<string>();
  return live.on((event) => {
    if (event.type !== 'text' || event.text.direction !== 'in' || told.has(event.text.id)) return;
    told.add(event.text.id);
    if (event.conversation.user_id === session.me.id) tell(event.text, event.conversation);
  });
}
