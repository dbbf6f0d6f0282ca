import { find } from '../routes';

const ROOMS = [
  'overview',
  'users',
  'numbers',
  'phones',
  'groups',
  'trunks',
  'calling',
  'billing',
  'transports',
  'templates',
  'registration',
  'recording',
  'law',
  'retention',
  'scripts',
  'outcomes',
  'tokens',
  'webhooks',
  'settings',
  'blocks',
  'health',
  'audit',
].map((key) => ({ key, href: key === 'overview' ? '/admin' : `/admin/${key}` }));

/** The rooms of the admin pages that who is signed in may open, in their order. */
export function sections(): { key: string; href: string }[] {
  return ROOMS.filter(({ href }) => find(href));
}
