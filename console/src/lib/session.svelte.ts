/** Who is signed in. */
import { answer, api, onSignedOut, Problem, setCsrf, type Schemas } from './api/client';
import { type Ask, RIGHTS } from './api/rights';
import { language } from './i18n/language.svelte';
import { live } from './live/live.svelte';

export type Role = 'rep' | 'manager' | 'admin';
const RANK: Record<Role, number> = { rep: 0, manager: 1, admin: 2 };

const SPREAD_MS = 1_000;

class Session {
  #revision = 0;
  #asking: ReturnType<typeof setTimeout> | undefined;
  /** undefined: not asked yet; null: nobody. */
  user = $state.raw<Schemas['User'] | null | undefined>(undefined);
  /** Where the engine cannot be reached at the first question, the page says so and asks again. */
  unreachable = $state(false);

  constructor() {
    onSignedOut(() => this.#ended());
    live.onSignedOut = () => void this.find();
  }

  get me(): Schemas['User'] {
    if (!this.user) throw new Error('Nobody is signed in.');
    return this.user;
  }

  may(role: Role): boolean {
    return this.user ? RANK[this.user.role as Role] >= RANK[role] : false;
  }

  /** Whether the engine would let them ask this: what is not allowed is not offered. */
  mayAsk(ask: Ask): boolean {
    return this.may(RIGHTS[ask] ?? 'rep');
  }

  /** Ask who is signed in, as often as needed. */
  async find(): Promise<void> {
    try {
      await this.#began(await answer(api.GET('/api/v1/session')));
    } catch (error) {
      if (error instanceof Problem && error.status === 401) this.#ended();
      else if (this.user === undefined) {
        this.unreachable = true;
        setTimeout(() => void this.find(), 2_000);
      }
    }
  }

  /** Throws Problem. */
  async signIn(email: string, password: string): Promise<void> {
    await this.#began(await answer(api.POST('/api/v1/session', { body: { email, password } })));
  }

  async signOut(): Promise<void> {
    await answer(api.DELETE('/api/v1/session'));
    this.#ended();
  }

  /** Take over what a change of one's own settings gave back. */
  async changed(user: Schemas['User']): Promise<void> {
    this.user = user;
    await language.use(user.language);
  }

  /**
   * Who one is may be changed elsewhere: a number given, a role taken away. To be told each configuration there is.
   * It is asked a little later, so that neither every page asks at once nor one for each line of an import.
   */
  follow(revision: number): void {
    if (this.#revision && revision !== this.#revision) {
      this.#asking ??= setTimeout(() => {
        this.#asking = undefined;
        if (this.user) void this.find();
      }, Math.random() * SPREAD_MS);
    }
    this.#revision = revision;
  }

  async #began(said: Schemas['SessionAnswer']): Promise<void> {
    setCsrf(said.csrf);
    this.unreachable = false;
    if (JSON.stringify(said.user) !== JSON.stringify(this.user)) this.user = said.user;
    await language.use(said.user.language);
    live.start();
  }

  #ended(): void {
    setCsrf(null);
    live.stop();
    this.user = null;
  }
}

export const session = new Session();
