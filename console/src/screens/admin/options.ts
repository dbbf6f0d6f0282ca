/** Fields that the engine describes, in forms: their values stand together in one object of the API's, not beside others. */
import type { FieldSpec, Values } from '../../lib/form/spec';

/** `first_name` as people read it; the registry's and the transports' own words are English. */
export function titleOf(name: string): string {
  const spaced = name.replace(/([a-z])([A-Z])/g, '$1 $2').replaceAll('_', ' ');
  return spaced.charAt(0).toUpperCase() + spaced.slice(1);
}

/** A field of the object `where` stands in the form under this name; the engine's refusals name it so. */
export function nameIn(where: string, name: string): string {
  return `${where}.${name}`;
}

/** The form's values for something whose object is spread out. */
export function spread(item: Record<string, unknown>, ...objects: string[]): Record<string, unknown> {
  const flat = { ...item };
  for (const where of objects)
    for (const [name, value] of Object.entries((item[where] ?? {}) as Record<string, unknown>))
      flat[nameIn(where, name)] = value;
  return flat;
}

/** What the form gave, with the objects put together again; `whole` are sent as a whole. */
export function gathered(values: Values, whole: Record<string, Record<string, unknown>> = {}): Record<string, unknown> {
  const sent: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(values)) {
    const at = name.indexOf('.');
    if (at < 0) sent[name] = value;
    else {
      const where = name.slice(0, at);
      const object = (sent[where] ?? { ...whole[where] }) as Record<string, unknown>;
      sent[where] = { ...object, [name.slice(at + 1)]: value === '' ? null : value };
    }
  }
  return sent;
}

interface Described {
  name: string;
  description?: string;
  default?: unknown;
  kind?: string;
  required: boolean;
  secret?: boolean;
  choices: string[];
}

const LONG = new Set(['template', 'headers', 'came', 'became', 'text', 'long']);

export function fieldOf(where: string, each: Described): FieldSpec {
  const shared = { name: nameIn(where, each.name), label: titleOf(each.name), hint: each.description, required: false };
  const initial = each.default as FieldSpec['initial'];
  if (each.secret) return { ...shared, kind: 'password' };
  if (each.choices.length) {
    const choices = each.choices.map((value) => ({ value, label: value }));
    return {
      ...shared,
      kind: 'choice',
      choices: each.required ? choices : [{ value: '', label: '–' }, ...choices],
      initial,
    };
  }
  if (typeof each.default === 'boolean' || each.kind === 'boolean')
    return { ...shared, kind: 'switch', initial: initial ?? false };
  if (typeof each.default === 'number' || each.kind === 'integer')
    return { ...shared, kind: 'integer', initial: initial ?? '' };
  if (LONG.has(each.name) || LONG.has(each.kind ?? '')) return { ...shared, kind: 'long' };
  return { ...shared, kind: 'text', initial: initial ?? '' };
}
