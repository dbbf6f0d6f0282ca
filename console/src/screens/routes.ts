/** Every address of the console and the screen behind it, loaded when it is first opened. */
import type { Component } from 'svelte';
import { language } from '../lib/i18n/language.svelte';
import type { Role } from '../lib/session.svelte';
import { match, type Params } from '../lib/router.svelte';

// A screen takes the parts of its address as properties, all of them text.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Screen = Component<any>;

interface RouteOf {
  path: string;
  load: () => Promise<{ default: Screen }>;
  /** Who may open it; everybody who is signed in where it is left out. */
  role?: Role;
}

/** Their words are not among those that every page begins with. */
function seldom(load: RouteOf['load']): RouteOf['load'] {
  return async () => (await Promise.all([load(), language.all()]))[0];
}

export const ROUTES: RouteOf[] = [
  { path: '/', load: () => import('./home/Home.svelte') },
  { path: '/calls', load: () => import('./calls/CallLog.svelte') },
  { path: '/calls/:call', load: () => import('./calls/CallDetail.svelte') },
  { path: '/calls/:call/summary', load: () => import('./summary/Summary.svelte') },
  { path: '/voicemail', load: () => import('./voicemail/Voicemails.svelte') },
  { path: '/settings', load: seldom(() => import('./settings/Settings.svelte')) },
  { path: '/diagnostics', load: seldom(() => import('./diagnostics/Diagnostics.svelte')) },
  { path: '/design', load: seldom(() => import('./design/Design.svelte')) },
  { path: '/admin', load: seldom(() => import('./admin/Overview.svelte')), role: 'admin' },
  { path: '/admin/users', load: seldom(() => import('./admin/Users.svelte')), role: 'admin' },
  { path: '/admin/numbers', load: seldom(() => import('./admin/Numbers.svelte')), role: 'admin' },
  { path: '/admin/groups', load: seldom(() => import('./admin/Groups.svelte')), role: 'admin' },
  { path: '/admin/trunks', load: seldom(() => import('./admin/Trunks.svelte')), role: 'admin' },
  { path: '/admin/recording', load: seldom(() => import('./admin/Recording.svelte')), role: 'admin' },
  { path: '/admin/scripts', load: seldom(() => import('./admin/Scripts.svelte')), role: 'admin' },
  { path: '/admin/outcomes', load: seldom(() => import('./admin/Outcomes.svelte')), role: 'admin' },
  { path: '/admin/tokens', load: seldom(() => import('./admin/Tokens.svelte')), role: 'admin' },
  { path: '/admin/settings', load: seldom(() => import('./admin/Settings.svelte')), role: 'admin' },
  { path: '/admin/health', load: seldom(() => import('./admin/Health.svelte')), role: 'admin' },
  { path: '/admin/audit', load: seldom(() => import('./admin/Audit.svelte')), role: 'admin' },
  { path: '/people', load: () => import('./people/People.svelte') },
  { path: '/people/import', load: seldom(() => import('./people/Import.svelte')), role: 'manager' },
  { path: '/people/:record', load: () => import('./people/Record.svelte') },
  { path: '/deals', load: () => import('./deals/Deals.svelte') },
  { path: '/deals/:deal', load: () => import('./deals/Deal.svelte') },
];

export function find(path: string): { route: RouteOf; params: Params } | null {
  for (const route of ROUTES) {
    const params = match(route.path, path);
    if (params) return { route, params };
  }
  return null;
}
