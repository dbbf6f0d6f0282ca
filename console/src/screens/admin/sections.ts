/** The rooms of the admin pages, in their order. */
export const SECTIONS = [
  'overview',
  'users',
  'numbers',
  'groups',
  'trunks',
  'recording',
  'scripts',
  'outcomes',
  'tokens',
  'settings',
  'health',
  'audit',
].map((key) => ({ key, href: key === 'overview' ? '/admin' : `/admin/${key}` }));
