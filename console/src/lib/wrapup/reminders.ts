/** A task's reminder: in the page, and as a notification where the page is not in front (S5). */
import { language } from '../i18n/language.svelte';
import { live } from '../live/live.svelte';
import type { Task } from '../live/types';
import { router } from '../router.svelte';
import { toasts } from '../ui/toasts.svelte';

/** What a task is about: its deal, its record, its call. */
export function addressOfTask(task: Task): string {
  if (task.deal_id) return `/deals/${encodeURIComponent(task.deal_id)}`;
  if (task.record_id) return `/people/${encodeURIComponent(task.record_id)}`;
  if (task.call_id) return `/calls/${encodeURIComponent(task.call_id)}`;
  return '/';
}

function remind(task: Task): void {
  const words = language.m.work.reminder;
  const show = (): void => router.go(addressOfTask(task));
  toasts.say(words.text(task.title), 'info', { label: words.show, does: show }, { stays: true });
  if (document.hasFocus() || !('Notification' in globalThis) || Notification.permission !== 'granted') return;
  // One for all pages: a second with the same tag takes the place of the first.
  const notification = new Notification(words.title, { body: task.title, tag: task.id });
  notification.onclick = () => {
    window.focus();
    notification.close();
    show();
  };
}

/** Gives the function that ends it. */
export function remindOfTasks(): () => void {
  return live.on((event) => {
    if (event.type === 'reminder') remind(event.task);
  });
}
