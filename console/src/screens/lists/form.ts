/** The fields of a call list, to make one and to change it. */
import type { Schemas } from '../../lib/api/client';
import type { FieldSpec } from '../../lib/form/spec';
import { language } from '../../lib/i18n/language.svelte';

export function fieldsOf(groups: Schemas['Group'][], outcomes: Schemas['Outcome'][]): FieldSpec[] {
  const f = language.m.lists.fields;
  const cap = (name: string, label: string): FieldSpec => ({
    name,
    label,
    hint: f.capHint,
    kind: 'integer',
    initial: null,
    group: f.caps,
  });
  return [
    { name: 'name', label: f.name, kind: 'text', required: true },
    { name: 'description', label: f.description, kind: 'long' },
    { name: 'shared', label: f.shared, hint: f.sharedHint, kind: 'switch' },
    {
      name: 'group_ids',
      label: f.groups,
      hint: f.groupsHint,
      kind: 'several',
      choices: groups.map(({ id, name }) => ({ value: id, label: name })),
      shown: (values) => values.shared === true && groups.length > 0,
    },
    { name: 'preview_s', label: f.preview, hint: f.previewHint, kind: 'integer', initial: 10 },
    { name: 'wrap_up_s', label: f.wrapUpS, hint: f.wrapUpSHint, kind: 'integer', initial: 20 },
    {
      name: 'wrap_up',
      label: f.wrapUp,
      kind: 'choice',
      choices: Object.entries(f.wrapUps).map(([value, label]) => ({ value, label })),
      initial: 'setting',
    },
    {
      name: 'drop_outcome_id',
      label: f.dropOutcome,
      kind: 'choice',
      choices: [{ value: '', label: f.none }, ...outcomes.map(({ id, name }) => ({ value: id, label: name }))],
      nullable: true,
      initial: '',
    },
    cap('daily_calls', f.dailyCalls),
    cap('daily_calls_user', f.dailyCallsUser),
    cap('daily_calls_number', f.dailyCallsNumber),
    { name: 'active', label: f.active, kind: 'switch', initial: true, only: 'change' },
  ];
}
