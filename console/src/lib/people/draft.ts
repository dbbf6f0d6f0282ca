/** A record as its form holds it, and what of it has to be sent. */
import type { Schemas } from '../api/client';
import type { Kind, Person } from './records';

/** `kept` is a number as it was before: what is shown of it depends on whose home it is, and is not read back. */
export interface DraftPhone {
  label: string;
  number: string;
  kept?: { e164: string; display: string };
}

export interface Draft {
  kind: Kind;
  name: string;
  reading: string;
  title: string;
  company: string;
  website: string;
  status: string;
  source: string;
  owner_id: string;
  external_id: string;
  phones: DraftPhone[];
  emails: Schemas['Email'][];
  addresses: Schemas['Address'][];
}

export function blank(kind: Kind, ownerId: string, number = ''): Draft {
  const empty = { name: '', reading: '', title: '', company: '', website: '', source: '', external_id: '' };
  const label = kind === 'company' ? 'main' : 'mobile';
  const status = kind === 'lead' ? 'new' : '';
  return { ...empty, kind, status, owner_id: ownerId, phones: [{ label, number }], emails: [], addresses: [] };
}

export function fromRecord(record: Person): Draft {
  return {
    kind: record.kind as Kind,
    name: record.name,
    reading: record.reading,
    title: record.title,
    company: record.company_name,
    website: record.website,
    status: record.status,
    source: record.source,
    owner_id: record.owner_id ?? '',
    external_id: record.external_id ?? '',
    phones: record.phones.map(({ label, e164, display }) => ({ label, number: display, kept: { e164, display } })),
    emails: record.emails.map((each) => ({ ...each })),
    addresses: record.addresses.map((each) => ({ ...each })),
  };
}

function sentPhone({ label, number, kept }: DraftPhone): Schemas['PhoneEntry'] {
  return { label, number: number === kept?.display ? kept.e164 : number };
}

type Sent = Schemas['RecordChange'];

/** Everything that says something. */
export function whole(draft: Draft): Sent {
  const { name, reading, title, website, status, source, owner_id, external_id, kind, company } = draft;
  const sent: Sent = { name, reading, title, website, status, source, owner_id: owner_id || null };
  sent.external_id = external_id || null;
  if (kind !== 'company') sent.company = company;
  sent.phones = draft.phones.filter((each) => each.number.trim()).map(sentPhone);
  sent.emails = draft.emails.filter((each) => each.address.trim());
  sent.addresses = draft.addresses.filter(({ label: _label, ...lines }) =>
    Object.values(lines).some((line) => line.trim()),
  );
  return sent;
}

/** Only what differs: what a colleague changes meanwhile in another field stays. */
export function changes(before: Draft, after: Draft): Sent {
  const [was, is] = [whole(before), whole(after)];
  const differs = ([name, value]: [string, unknown]): boolean =>
    JSON.stringify(value) !== JSON.stringify(was[name as keyof Sent]);
  return Object.fromEntries(Object.entries(is).filter(differs));
}
