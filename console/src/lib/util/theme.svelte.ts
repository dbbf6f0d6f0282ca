/** Light, dark, or as the system is. */
export type Theme = 'auto' | 'light' | 'dark';
const KEPT = 'switchhook.theme';

class Appearance {
  theme = $state<Theme>((localStorage.getItem(KEPT) as Theme | null) ?? 'auto');

  constructor() {
    this.#show();
  }

  choose(theme: Theme): void {
    this.theme = theme;
    localStorage.setItem(KEPT, theme);
    this.#show();
  }

  #show(): void {
    if (this.theme === 'auto') delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = this.theme;
  }
}

export const appearance = new Appearance();
