/**
 * The page's language. Every word a person reads stands in `src/messages/<language>/`, one file per room of the console;
 * a language is added by adding a folder. Keys are typed by the English ones, so that none can be missing.
 */
import type { Messages } from '../../messages/en';

export type { Messages };

const folders = import.meta.glob<{ default: Messages }>('../../messages/*/index.ts');
const KEPT = 'switchhook.language';

function codeOf(file: string): string {
  return file.split('/').at(-2) ?? '';
}

class Language {
  /** As BCP 47 has it: `en`, `ja`. */
  code = $state('en');
  /** The words. Read in a component, they change with the language. */
  m = $state.raw<Messages>({} as Messages);

  readonly offered = Object.keys(folders).map(codeOf).sort();

  async start(): Promise<void> {
    const wished = [localStorage.getItem(KEPT), ...navigator.languages].map((each) => each?.slice(0, 2));
    await this.use(wished.find((code) => code && this.offered.includes(code)) ?? 'en');
  }

  /** Change to a language that is offered; any other is ignored. */
  async use(code: string): Promise<void> {
    const load = folders[`../../messages/${code}/index.ts`];
    if (!load) return;
    this.m = (await load()).default;
    this.code = code;
    localStorage.setItem(KEPT, code);
    document.documentElement.lang = code;
  }
}

export const language = new Language();
