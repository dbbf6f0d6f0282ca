/**
 * One's own way through a call list (L2, V12). Where it stands, the engine says; here are what is asked of it, the beat
 * that keeps the entry, and the countdown that typing pauses.
 */
import { answer, api, Problem, type Schemas } from '../api/client';
import { live } from '../live/live.svelte';
import { language } from '../i18n/language.svelte';
import type { ListRun } from '../live/types';
import { toasts } from '../ui/toasts.svelte';
import { nowUs } from '../util/format';
import { voice } from '../voice.svelte';
import { secondsLeft } from './countdown';

/** The engine lets go of an entry after 45 seconds without one. */
const BEAT_EVERY_MS = 15_000;
const DRAWN_EVERY_MS = 250;
const TYPED_FOR_MS = 3_000;
const LATER_MINUTES = 60;
const TOMORROW_MINUTES = 24 * 60;

type Skip = 'later' | 'tomorrow' | 'wrong_person' | 'bad_number' | 'other';

class Runner {
  busy = $state(false);
  drops = $state.raw<Schemas['VoicemailDrop'][]>([]);
  seconds = $state<number | null>(null);
  /** How far the engine's clock is ahead of this one. */
  #aheadUs = 0;
  #typed: ReturnType<typeof setTimeout> | undefined;

  get shown(): ListRun | null {
    return live.listRun;
  }

  /** To be run in an effect for as long as a run stands. */
  follow(): () => void {
    const beat = setInterval(() => void this.#quietly(api.POST('/api/v1/list-run/beat')), BEAT_EVERY_MS);
    const draw = setInterval(() => this.#draw(), DRAWN_EVERY_MS);
    document.addEventListener('input', this.#input);
    this.#draw();
    void this.readDrops();
    return () => {
      clearInterval(beat);
      clearInterval(draw);
      this.#typedEnough();
      document.removeEventListener('input', this.#input);
    };
  }

  /** Each state of the run brings the engine's clock along. */
  heard(shown: ListRun): void {
    this.#aheadUs = shown.now_us - nowUs();
    this.#draw();
  }

  // -- what is asked ------------------------------------------------------------------------------

  async start(listId: string): Promise<boolean> {
    if (voice.through === 'browser' && voice.shift !== 'on') await voice.tried(voice.start());
    const via = voice.through === 'forwarding' ? 'forwarding' : 'device';
    const device_id = voice.through === 'browser' ? voice.phone.deviceId : null;
    return this.#ask(api.POST('/api/v1/list-run', { body: { list_id: listId, via, device_id } }));
  }

  dial(number?: string): Promise<boolean> {
    return this.#ask(api.POST('/api/v1/list-run/dial', { body: { number: number ?? null } }));
  }

  skip(reason: Skip = 'later'): Promise<boolean> {
    const minutes = { later: LATER_MINUTES, tomorrow: TOMORROW_MINUTES }[reason as string] ?? null;
    const body = { reason: reason === 'tomorrow' ? ('later' as const) : reason, minutes };
    return this.#ask(api.POST('/api/v1/list-run/skip', { body }));
  }

  next(): Promise<boolean> {
    return this.#ask(api.POST('/api/v1/list-run/next'));
  }

  pause(on: boolean): Promise<boolean> {
    return this.#ask(on ? api.POST('/api/v1/list-run/pause') : api.POST('/api/v1/list-run/resume'));
  }

  async stop(): Promise<void> {
    if (await this.#ask(api.POST('/api/v1/list-run/stop'))) {
      live.listRun = null;
      toasts.say(language.m.lists.run.stopText);
    }
  }

  /** The message plays on without us; the next entry follows at once. */
  async drop(dropId = this.drops[0]?.id): Promise<void> {
    const call = this.shown?.run.call_id;
    if (!call) return;
    if (!dropId) return toasts.say(language.m.lists.run.noDrops, 'bad');
    const path = { call };
    try {
      await answer(api.POST('/api/v1/calls/{call}/drop', { params: { path }, body: { drop_id: dropId } }));
      toasts.say(language.m.lists.run.dropped, 'good');
    } catch (error) {
      toasts.failed(error);
    }
  }

  async readDrops(): Promise<void> {
    const found = await answer(api.GET('/api/v1/me/drops')).catch(() => null);
    if (found) this.drops = found.items;
  }

  async #ask(asked: Parameters<typeof answer<ListRun>>[0]): Promise<boolean> {
    if (this.busy) return false;
    this.busy = true;
    try {
      const shown = await answer(asked);
      if (shown.run.ended_us === null) live.listRun = shown;
      return true;
    } catch (error) {
      this.#over(error);
      toasts.failed(error);
      return false;
    } finally {
      this.busy = false;
    }
  }

  /** The run is none any more: its list was deleted, or it was stopped elsewhere. */
  #over(error: unknown): null {
    if (error instanceof Problem && error.code === 'no_run') live.listRun = null;
    return null;
  }

  async #quietly(asked: Parameters<typeof answer<ListRun>>[0]): Promise<void> {
    const shown = await answer(asked).catch((error: unknown) => this.#over(error));
    if (shown) live.listRun = shown.run.ended_us === null ? shown : null;
  }

  // -- the countdown ------------------------------------------------------------------------------

  #draw(): void {
    this.seconds = this.shown ? secondsLeft(this.shown, nowUs() + this.#aheadUs) : null;
  }

  /** Whoever types wants to end the sentence: the countdown waits until some seconds after the last letter. */
  #input = (event: Event): void => {
    if (!(event.target instanceof HTMLTextAreaElement || event.target instanceof HTMLInputElement)) return;
    if (this.#typed === undefined) {
      if (this.seconds === null) return;
      void this.#quietly(api.POST('/api/v1/list-run/hold', { body: { held: true } }));
    }
    clearTimeout(this.#typed);
    this.#typed = setTimeout(() => this.#typedEnough(), TYPED_FOR_MS);
  };

  #typedEnough(): void {
    if (this.#typed === undefined) return;
    clearTimeout(this.#typed);
    this.#typed = undefined;
    if (this.shown) void this.#quietly(api.POST('/api/v1/list-run/hold', { body: { held: false } }));
  }
}

export const runner = new Runner();

/** Why nobody is called now, in words. */
export function whyWaiting({ run }: ListRun): string {
  const words = language.m.lists;
  if (run.paused) return words.pauses[run.paused] ?? words.pausedElse(run.paused);
  return words.reasons[run.reason] ?? words.run.nobodyNow;
}
