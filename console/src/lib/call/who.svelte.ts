/** Who is at the other end of a call: in words, with the addresses of their pages. */
import { answer, api } from '../api/client';
import { colleagueOf, customerLeg, legOf, matchOf, type Leg, type Match } from '../calls';
import { language } from '../i18n/language.svelte';
import { live } from '../live/live.svelte';
import type { LiveCall } from '../live/types';

export interface Who {
  name: string;
  company: string;
  /** As people write it; empty where the name is the number. */
  number: string;
  href: string | null;
  deal: { name: string; href: string } | null;
  /** Whether it is somebody of ours or of our records. */
  known: boolean;
}

interface Filed {
  name: string;
  company: string;
  href: string;
  deal: Who['deal'];
}

export const pageOf = (recordId: string): string => `/people/${recordId}`;

class People {
  /** Records that a call is filed under and that do not have its number. */
  #filed = $state<Record<string, Filed | null>>({});

  filed(call: LiveCall): Filed | null {
    const id = call.record_id;
    if (!id) return null;
    if (!(id in this.#filed)) void this.#read(id, call.record_type === 'deal');
    return this.#filed[id] ?? null;
  }

  async #read(id: string, deal: boolean): Promise<void> {
    await Promise.resolve(); // what draws may not change what it reads
    if (id in this.#filed) return;
    this.#filed[id] = null;
    try {
      this.#filed[id] = deal ? await dealOf(id) : await recordOf(id);
    } catch {
      delete this.#filed[id]; // gone, or the engine is away: the number stands alone, the next call asks again
    }
  }
}

async function recordOf(record: string): Promise<Filed> {
  const found = await answer(api.GET('/api/v1/records/{record}', { params: { path: { record } } }));
  return { name: found.name, company: found.company_name, href: pageOf(record), deal: null };
}

async function dealOf(deal: string): Promise<Filed> {
  const { name, record_id } = await answer(api.GET('/api/v1/deals/{deal}', { params: { path: { deal } } }));
  const person = record_id ? await recordOf(record_id) : null;
  const filed = { name, href: `/deals/${deal}` };
  return { name: person?.name ?? name, company: person?.company ?? '', href: person?.href ?? filed.href, deal: filed };
}

const people = new People();

export function nameOfUser(id: string): string {
  return live.presence.find(({ user_id }) => user_id === id)?.name ?? '';
}

function numberOf(call: LiveCall): string {
  if (call.customer_number) return call.customer_display || call.customer_number;
  return call.direction === 'inbound' ? language.m.call.incoming.hidden : (call.caller_raw ?? '');
}

export function whoIs(call: LiveCall, me: string): Who {
  const colleague = colleagueOf(call, me);
  if (colleague) {
    const leg = call.legs.find(({ user_id }) => user_id === colleague);
    return { ...NOBODY, name: nameOfUser(colleague), number: leg?.display ?? '', known: true };
  }
  const number = numberOf(call);
  const match = matchOf(call);
  if (match) return { ...fromMatch(match), number };
  const filed = people.filed(call);
  return filed ? { ...filed, number, known: true } : { ...NOBODY, name: number };
}

export function fromMatch({ id, name, company_name, deal }: Match): Who {
  return {
    name,
    company: company_name === name ? '' : company_name,
    number: '',
    href: pageOf(id),
    deal: deal ? { name: deal.name, href: `/deals/${deal.id}` } : null,
    known: true,
  };
}

const NOBODY: Who = { name: '', company: '', number: '', href: null, deal: null, known: false };

/** One party of a call, as the others call them. */
export function nameOfLeg(call: LiveCall, leg: Leg, me: string): string {
  if (leg.id === legOf(call, me)?.id) return nameOfUser(me);
  if (leg.id === customerLeg(call)?.id && !leg.user_id) return whoIs(call, me).name;
  const participant = call.participants.find(({ leg_id }) => leg_id === leg.id);
  const user = leg.user_id ?? (leg.role === 'guest' ? null : call.user_id);
  return (user && nameOfUser(user)) || participant?.name || leg.display || leg.number || language.m.common.unknown;
}

/** Who asks a guest into the call: its host. */
export function inviterOf(call: LiveCall): string {
  const host = call.legs.find(({ id }) => id === call.conference?.host_leg);
  const user = host ? (host.user_id ?? call.user_id) : call.user_id;
  return (user && nameOfUser(user)) || language.m.common.unknown;
}
