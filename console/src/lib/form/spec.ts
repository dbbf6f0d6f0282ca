/** Forms as data: the same fields to add and to change something, with the engine's refusal shown at the field at fault. */

export interface Choice {
  value: string;
  label: string;
}

export type Value = string | number | boolean | null | string[];
export type Values = Record<string, Value>;

export interface FieldSpec {
  /** As the API names it. */
  name: string;
  label: string;
  hint?: string;
  /** Said as well while it is changed. */
  keep?: string;
  kind:
    'text' | 'email' | 'password' | 'integer' | 'money' | 'choice' | 'switch' | 'long' | 'colour' | 'several' | 'list';
  choices?: Choice[];
  /** Where they are not the same for each; null: for one that is added. */
  choicesFor?: (item: object | null) => Choice[];
  required?: boolean;
  /** What stands there when something is added. */
  initial?: Value;
  /** Shown only while something is added, or only while it is changed. */
  only?: 'add' | 'change';
  /** An empty text is sent as null: “none”. */
  nullable?: boolean;
  shown?: (values: Values) => boolean;
  group?: string;
}

export function initialOf(field: FieldSpec): Value {
  if (field.initial !== undefined) return field.initial;
  if (field.kind === 'switch') return false;
  if (field.kind === 'several' || field.kind === 'list') return [];
  if (field.kind === 'choice') return field.choices?.[0]?.value ?? '';
  return '';
}

/** The form's values for something that exists: what is null is shown as empty. */
export function valuesOf(fields: FieldSpec[], item: object): Values {
  const given = item as Record<string, unknown>;
  return Object.fromEntries(
    fields.map((field) => {
      const value = field.kind === 'money' ? inUnits(given[field.name]) : given[field.name];
      return [
        field.name,
        (value ?? (field.kind === 'password' ? '' : initialOf({ ...field, initial: undefined }))) as Value,
      ];
    }),
  );
}

/** What goes to the engine: only what differs from `before`, in the types that it takes. */
export function changed(fields: FieldSpec[], values: Values, before: Values | null): Values {
  const sent: Values = {};
  for (const field of fields) {
    const value = values[field.name] ?? '';
    if (before && JSON.stringify(before[field.name]) === JSON.stringify(value)) continue;
    if (field.kind === 'password' && value === '') continue;
    sent[field.name] = outgoing(field, value);
  }
  return sent;
}

/** Money travels in micro-units and is typed in whole ones. */
const MICROS = 1_000_000;

function inUnits(micros: unknown): string | null {
  return typeof micros === 'number' ? String(micros / MICROS) : null;
}

function outgoing(field: FieldSpec, value: Value): Value {
  if (field.kind === 'integer') return value === '' || value === null ? null : Number(value);
  if (field.kind === 'money') return value === '' || value === null ? null : Math.round(Number(value) * MICROS);
  if (value === '' && field.nullable) return null;
  return value;
}
