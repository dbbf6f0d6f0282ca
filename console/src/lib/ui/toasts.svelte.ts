/** Short words on what happened, at the edge of the page. Errors stay until they are closed. */
import { Problem } from '../api/client';
import { language } from '../i18n/language.svelte';
import { session } from '../session.svelte';

export interface Toast {
  id: number;
  tone: 'good' | 'bad' | 'info';
  text: string;
  action?: { label: string; does: () => void };
}

const GONE_AFTER_MS = 5_000;
let last = 0;

class Toasts {
  shown = $state.raw<Toast[]>([]);
  /** Opens an address; given by the page, so that what only says something needs no router. */
  go = (path: string): void => location.assign(path);

  /** `stays`: until it is closed, as errors do. */
  say(
    text: string,
    tone: Toast['tone'] = 'info',
    action?: Toast['action'],
    { stays = tone === 'bad' }: { stays?: boolean } = {},
  ): void {
    const id = ++last;
    this.shown = [...this.shown.filter((each) => each.text !== text), { id, tone, text, action }].slice(-4);
    if (!stays) setTimeout(() => this.close(id), GONE_AFTER_MS);
  }

  /** Say what went wrong, in the engine's own words where it had some. */
  failed(error: unknown): void {
    if (error instanceof DOMException && error.name === 'AbortError') return;
    if (error instanceof Problem && error.code === 'no_number' && session.may('admin')) this.missesNumber();
    else this.say(sentence(error), 'bad');
    if (!(error instanceof Problem)) console.error(error);
  }

  /** To an admin: nobody else can do it for them. */
  missesNumber(): void {
    const { missing, assign } = language.m.problems.ownNumber;
    this.say(missing, 'bad', { label: assign, does: () => this.go('/admin/numbers') });
  }

  close(id: number): void {
    this.shown = this.shown.filter((each) => each.id !== id);
  }
}

export function sentence(error: unknown): string {
  const words = language.m.problems;
  if (!(error instanceof Problem)) return words.unexpected;
  if (error.status === 0) return words.unreachable;
  return words.codes[error.code] ?? (error.message || words.unexpected);
}

export const toasts = new Toasts();
