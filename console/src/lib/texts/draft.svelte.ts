/** A text that is being written: to whom, what the engine says of it meanwhile, and sending it once. */
import { answer, api, idempotencyKey, type Schemas } from '../api/client';
import { sentence } from '../ui/toasts.svelte';
import { count } from './segments';
import type { Text } from './who';

export type Target = { conversation_id: string } | { to: string; record_id?: string };

const WAIT_MS = 300;
const KEPT = 'switchhook.text.';

export class Draft {
  body = $state('');
  atUs = $state<number | null>(null);
  files = $state.raw<Schemas['Attachment'][]>([]);
  preview = $state.raw<Schemas['Preview'] | null>(null);
  problem = $state<string | null>(null);
  busy = $state(false);
  readonly counted = $derived(count(this.body));
  #timer: ReturnType<typeof setTimeout> | undefined;
  #run = 0;
  #key = idempotencyKey();
  readonly #kept: string;

  constructor(readonly target: Target) {
    this.#kept = KEPT + ('to' in target ? target.to : target.conversation_id);
    this.body = sessionStorage.getItem(this.#kept) ?? '';
  }

  get sendable(): boolean {
    return (this.body.trim() !== '' || this.files.length > 0) && this.preview?.allowed !== false;
  }

  /** What the engine says of it that must be read; that nothing has been written yet is no news. */
  get refusal(): Schemas['Preview'] | null {
    const said = this.preview;
    if (!said || said.reason === 'empty_text') return null;
    return said.allowed && !said.holds ? null : said;
  }

  /** Whatever changes, the engine is asked once nothing has for a moment; without a text, whether any may be sent. */
  changed(): void {
    sessionStorage.setItem(this.#kept, this.body);
    this.#key = idempotencyKey();
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => void this.look(), WAIT_MS);
  }

  async look(): Promise<void> {
    const run = ++this.#run;
    try {
      const said = await answer(api.POST('/api/v1/texts/preview', { body: this.#draft() }));
      if (run === this.#run) [this.preview, this.problem] = [said, null];
    } catch (error) {
      if (run === this.#run) [this.preview, this.problem] = [null, sentence(error)];
    }
  }

  /** The text as it was accepted; null where it was not, and `problem` says why. */
  async send(): Promise<Text | null> {
    this.busy = true;
    try {
      const header = { 'Idempotency-Key': this.#key };
      const sent = await answer(api.POST('/api/v1/texts', { params: { header }, body: this.#draft() }));
      this.#clear();
      return sent;
    } catch (error) {
      this.problem = sentence(error);
      return null;
    } finally {
      this.busy = false;
    }
  }

  async attach(file: File): Promise<void> {
    const params = { query: { name: file.name } };
    const headers = { 'Content-Type': file.type || 'application/octet-stream' };
    const upload = api.POST('/api/v1/text-attachments', {
      params,
      headers,
      body: file as never, // the body is the file itself
      bodySerializer: (body: unknown) => body as BodyInit,
    });
    try {
      this.files = [...this.files, await answer(upload)];
      this.changed();
    } catch (error) {
      this.problem = sentence(error);
    }
  }

  #draft(): Schemas['TextDraft'] {
    return {
      body: this.body,
      to: 'to' in this.target ? this.target.to : '',
      conversation_id: 'to' in this.target ? '' : this.target.conversation_id,
      record_id: 'to' in this.target ? (this.target.record_id ?? null) : null,
      at_us: this.atUs,
      attachment_ids: this.files.map(({ id }) => id),
    };
  }

  #clear(): void {
    clearTimeout(this.#timer);
    this.#run++;
    [this.body, this.atUs, this.files, this.problem, this.preview] = ['', null, [], null, null];
    this.#key = idempotencyKey();
    sessionStorage.removeItem(this.#kept);
  }
}
