/** What calls cost: the same reckoning as the engine's (crm/rates.py), for what runs while it is looked at. */
import type { Schemas } from '../api/client';
import { language } from '../i18n/language.svelte';
import { numbers } from '../util/format';

export type Rate = Schemas['RateView'];
export type CallCost = Schemas['CallCost'];

const SECOND_US = 1_000_000;

/** What a leg that was answered so long ago costs until now: every step that was begun counts. */
export function costOf(rate: Rate, talkedUs: number): number {
  const rest = Math.ceil(talkedUs / SECOND_US) - rate.first_s;
  const billed = rest <= 0 ? rate.first_s : rate.first_s + Math.ceil(rest / rate.then_s) * rate.then_s;
  return rate.setup_micros + Math.ceil((rate.price_micros * billed) / 60);
}

/** Of a call: what is priced already, and what runs. Null where nothing in it has a price. */
export function runningCost(cost: CallCost, nowUs: number): number | null {
  const running = cost.legs.filter(({ rate }) => rate);
  if (running.length === 0 && cost.charges.length === 0) return null;
  const legs = running.map(({ rate, answered_us, ended_us }) =>
    rate && answered_us !== null ? costOf(rate, Math.max(0, (ended_us ?? nowUs) - answered_us)) : 0,
  );
  return legs.reduce((sum, each) => sum + each, cost.amount_micros);
}

/** An amount exactly: two places, more where a minute costs less than that. */
export function exactly(micros: number, currency: string): string {
  const style = { style: 'currency', currency, maximumFractionDigits: 6 } as const;
  const least = numbers({ style: 'currency', currency }).resolvedOptions();
  const minimumFractionDigits = least.minimumFractionDigits ?? 2;
  return numbers({ ...style, minimumFractionDigits }).format(micros / 1_000_000);
}

/** “$0.01/min”, with the set-up fee where there is one. */
export function rateText(rate: Rate): string {
  const [minute, words] = [exactly(rate.price_micros, rate.currency), language.m.price];
  return rate.setup_micros
    ? words.withSetup(minute, exactly(rate.setup_micros, rate.currency))
    : words.perMinute(minute);
}
