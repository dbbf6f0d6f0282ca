/** Keyboard shortcuts: one table, so that `?` can show them and one switch turns them off (WCAG 2.1.4). */
import { untrack } from 'svelte';

export interface Shortcut {
  /** As shown: `/`, `Alt+A`, `?`. */
  keys: string;
  /** What it does, in the page's language. */
  label: () => string;
  does: () => void;
  /** Works in text fields, too: only for combinations with Alt or Ctrl. */
  everywhere?: boolean;
}

const KEPT = 'switchhook.shortcuts';

class Shortcuts {
  on = $state(localStorage.getItem(KEPT) !== 'off');
  all = $state.raw<Shortcut[]>([]);

  constructor() {
    addEventListener('keydown', (event) => this.#pressed(event));
  }

  switch(on: boolean): void {
    this.on = on;
    localStorage.setItem(KEPT, on ? 'on' : 'off');
  }

  /** Add some for as long as a component lives: `$effect(() => shortcuts.add([...]))`. */
  add(shortcuts: Shortcut[]): () => void {
    untrack(() => (this.all = [...this.all, ...shortcuts])); // an effect that adds some is not to run for each other one
    return () => (this.all = this.all.filter((each) => !shortcuts.includes(each)));
  }

  /** As if it were pressed, for a button elsewhere that does the same. */
  press(keys: string): void {
    this.all.findLast((each) => each.keys === keys)?.does();
  }

  #pressed(event: KeyboardEvent): void {
    if (!this.on || event.defaultPrevented || event.isComposing) return;
    const pressed = nameOf(event);
    const typing = isField(event.target);
    const found = this.all.findLast((each) => each.keys === pressed && (!typing || each.everywhere));
    if (!found) return;
    event.preventDefault();
    found.does();
  }
}

function nameOf(event: KeyboardEvent): string {
  const held = [event.ctrlKey && 'Ctrl', event.altKey && 'Alt', event.metaKey && 'Meta'].filter(Boolean);
  // With Alt, a Mac gives another letter; the key's own place is what counts then.
  const letter = event.altKey && /^Key[A-Z]$/.test(event.code) ? event.code.slice(3) : event.key;
  return [...held, letter.length === 1 && held.length ? letter.toUpperCase() : letter].join('+');
}

function isField(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target.isContentEditable || target instanceof HTMLTextAreaElement || target instanceof HTMLSelectElement)
    return true;
  return target instanceof HTMLInputElement && !['checkbox', 'radio', 'button', 'range'].includes(target.type);
}

export const shortcuts = new Shortcuts();
