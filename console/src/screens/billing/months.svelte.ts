/** The month that is looked at: in the address, so that it can be kept and sent to a colleague. */
import { answer, api, type Schemas } from '../../lib/api/client';
import { language } from '../../lib/i18n/language.svelte';
import { router } from '../../lib/router.svelte';
import { Loaded } from '../../lib/util/loaded.svelte';

export class Months {
  readonly all = new Loaded(async () => (await answer(api.GET('/api/v1/bills'))).items);
  /** Empty while there is none. */
  readonly chosen = $derived(router.query.get('month') ?? this.all.value?.[0]?.month ?? '');
  readonly open = $derived(this.all.value?.find(({ month }) => month === this.chosen)?.open ?? false);
  readonly options = $derived((this.all.value ?? []).map((each) => ({ value: each.month, label: nameOf(each) })));

  choose(month: string): void {
    router.ask({ month });
  }
}

function nameOf({ month, open }: Schemas['BillMonth']): string {
  const [year, number] = month.split('-').map(Number);
  const day = new Date(Date.UTC(year ?? 0, (number ?? 1) - 1, 1));
  const name = new Intl.DateTimeFormat(language.code, { year: 'numeric', month: 'long', timeZone: 'UTC' }).format(day);
  return open ? `${name} (${language.m.billing.running})` : name;
}

/** Seconds that were charged, or segments. */
export function unitsText(kind: string, units: number): string {
  if (kind === 'text') return language.m.billing.segments(units);
  const [hours, minutes, seconds] = [Math.floor(units / 3600), Math.floor(units / 60) % 60, units % 60];
  const two = (value: number): string => String(value).padStart(2, '0');
  return hours ? `${hours}:${two(minutes)}:${two(seconds)}` : `${minutes}:${two(seconds)}`;
}
