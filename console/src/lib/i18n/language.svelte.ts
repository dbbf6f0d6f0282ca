/**
 * The page's language. Every word a person reads stands in `src/messages/<language>/`, one file per room of the console;
 * a language is added by adding a folder. Keys are typed by the English ones, so that none can be missing.
 */
import type { First, Messages } from '../../messages/en';
import type { Later } from '../../messages/en/later';

export type { Messages };

const folders = import.meta.glob<{ default: First }>('../../messages/*/index.ts');
const more = import.meta.glob<{ default: Later }>('../../messages/*/later.ts');
const KEPT = 'switchhook.language';

function codeOf(file: string): string {
  return file.split('/').at(-2) ?? '';
}

class Language {
  /** As BCP 47 has it: `en`, `ja`. */
  code = $state('en');
  /** The words. Read in a component, they change with the language. */
  m = $state.raw<Messages>({} as Messages);
  #all: Promise<void> | null = null;

  readonly offered = Object.keys(folders).map(codeOf).sort();

  async start(): Promise<void> {
    const wished = [localStorage.getItem(KEPT), ...navigator.languages].map((each) => each?.slice(0, 2));
    await this.use(wished.find((code) => code && this.offered.includes(code)) ?? 'en');
  }

  /** Also the words of the screens behind the first, which load them along; from then on in every language. */
  all(): Promise<void> {
    this.#all ??= Promise.resolve()
      .then(() => this.use(this.code))
      .catch((error: unknown) => {
        this.#all = null; // without a network: the next try loads them
        throw error;
      });
    return this.#all;
  }

  /** Change to a language that is offered; any other is ignored. */
  async use(code: string): Promise<void> {
    const load = folders[`../../messages/${code}/index.ts`];
    if (!load) return;
    const later = this.#all && more[`../../messages/${code}/later.ts`];
    const [first, rest] = await Promise.all([load(), later?.()]);
    this.m = { ...first.default, ...rest?.default } as Messages;
    this.code = code;
    localStorage.setItem(KEPT, code);
    document.documentElement.lang = code;
  }
}

export const language = new Language();
