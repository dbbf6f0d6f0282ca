/** What changed in a call, in sentences for the ear: the state, never the timer. */
import { heldBy, isMuted, legOf, matchOf, partiesOf, partOf, recordingOf, roleOf, stateOf, type Leg } from '../calls';
import type { Messages } from '../i18n/language.svelte';
import type { LiveCall } from '../live/types';

export interface Teller {
  me: string;
  words: Messages['call'];
  /** Who is at the other end; who is this party. */
  who(call: LiveCall): string;
  name(call: LiveCall, leg: Leg): string;
}

/** `before` is undefined for a call that is new to this page. */
export function newsOf(before: LiveCall | undefined, now: LiveCall, teller: Teller): string[] {
  const { me } = teller;
  const [was, is] = [before ? partOf(before, me) : null, partOf(now, me)];
  if (was === null && is === null) return [];
  if (is === null) return was === 'talking' || was === 'starting' ? [ending(now, teller)] : gone(now, teller);
  if (is === 'ringing' || is === 'invited') return []; // the card itself is an alert
  return [...stateNews(before, now, teller), ...(before && was === 'talking' ? talkNews(before, now, teller) : [])];
}

function gone(now: LiveCall, { words }: Teller): string[] {
  return now.state === 'forwarding' ? [words.news.forwarding] : [];
}

function ending(now: LiveCall, { words }: Teller): string {
  return (now.disposition && words.endings[now.disposition]) || words.news.ended;
}

function stateNews(before: LiveCall | undefined, now: LiveCall, teller: Teller): string[] {
  const { me, words } = teller;
  const [was, is] = [before && partOf(before, me) !== null ? stateOf(before, me) : null, stateOf(now, me)];
  const who = teller.who(now);
  const started = partOf(now, me) === 'talking' && (before ? partOf(before, me) : null) !== 'talking';
  if (started) return [words.news.connected(who)];
  if (was === is) return [];
  if (is === 'dialling') return [words.news.dialling(who)];
  return is === 'ringing' ? [words.news.ringing(who)] : [];
}

function talkNews(before: LiveCall, now: LiveCall, teller: Teller): string[] {
  return [
    ...holdNews(before, now, teller),
    ...muteNews(before, now, teller),
    ...guestNews(before, now, teller),
    ...recordingNews(before, now, teller),
  ];
}

function holdNews(before: LiveCall, now: LiveCall, teller: Teller): string[] {
  const { words, me } = teller;
  const mine = legOf(now, me)?.id;
  return partiesOf(now).flatMap((leg) => {
    const [was, is] = [Boolean(heldBy(before, leg)), Boolean(heldBy(now, leg))];
    if (was === is) return [];
    if (leg.id === mine) return [is ? words.news.youHeld : words.news.youUnheld];
    const name = teller.name(now, leg);
    return [is ? words.news.held(name) : words.news.unheld(name)];
  });
}

function muteNews(before: LiveCall, now: LiveCall, { words, me }: Teller): string[] {
  const [was, is] = [isMuted(before, legOf(before, me)), isMuted(now, legOf(now, me))];
  if (was === is) return [];
  return [is ? words.news.muted : words.news.unmuted];
}

function guestNews(before: LiveCall, now: LiveCall, teller: Teller): string[] {
  const { words, me } = teller;
  const [was, is] = [before.conference, now.conference];
  const said: string[] = [];
  if (is?.invite && !was?.invite) said.push(words.news.inviting(called(is.invite)));
  if (is?.invite?.ringing && was?.invite && !was.invite.ringing) said.push(words.news.inviteRings(called(is.invite)));
  const ended = is?.last_invite;
  if (ended && was?.invite && !is.invite) {
    said.push(words.news.inviteEnded(called(ended), words.conference.results[ended.result ?? ''] ?? ''));
  }
  const there = new Set(partiesOf(before).map(({ id }) => id));
  for (const leg of partiesOf(now)) if (!there.has(leg.id)) said.push(words.news.joined(teller.name(now, leg)));
  const here = new Set(partiesOf(now).map(({ id }) => id));
  for (const leg of partiesOf(before)) if (!here.has(leg.id)) said.push(words.news.left(teller.name(before, leg)));
  if (roleOf(before, me) !== 'host' && roleOf(now, me) === 'host') said.push(words.news.host);
  return said;
}

function called({ name, display }: { name: string; display: string }): string {
  return name || display;
}

function recordingNews(before: LiveCall, now: LiveCall, { words }: Teller): string[] {
  const is = recordingOf(now);
  return recordingOf(before) === is ? [] : [words.news.recording[is]];
}

/** For a call out that came to nothing: what to say, else null. */
export function failureOf(before: LiveCall | undefined, now: LiveCall, { me, words, who }: Teller): string | null {
  if (now.ended_us === null || now.answered_us !== null || now.direction === 'inbound' || now.user_id !== me)
    return null;
  if (before && partOf(before, me) !== 'starting') return null;
  const why = (now.disposition === 'refused' && now.reason && words.refusals[now.reason]) || null;
  const text = why ?? (now.disposition ? words.endings[now.disposition] : undefined);
  return text ? `${who(now)}: ${text}` : null;
}

/** What to dial for “Call again”. */
export function redialOf(call: LiveCall): { number: string; recordId?: string } | null {
  return call.customer_number ? { number: call.customer_number, recordId: matchOf(call)?.id } : null;
}
