/** Every address of the console and the screen behind it, loaded when it is first opened. */
import type { Component } from 'svelte';
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

export const ROUTES: RouteOf[] = [
  { path: '/', load: () => import('./home/Home.svelte') },
  { path: '/calls', load: () => import('./calls/CallLog.svelte') },
  { path: '/calls/:call', load: () => import('./calls/CallDetail.svelte') },
  { path: '/calls/:call/summary', load: () => import('./summary/Summary.svelte') },
  { path: '/voicemail', load: () => import('./voicemail/Voicemails.svelte') },
  { path: '/settings', load: () => import('./settings/Settings.svelte') },
  { path: '/diagnostics', load: () => import('./diagnostics/Diagnostics.svelte') },
  { path: '/design', load: () => import('./design/Design.svelte') },
  { path: '/admin', load: () => import('./admin/Overview.svelte'), role: 'admin' },
  { path: '/admin/users', load: () => import('./admin/Users.svelte'), role: 'admin' },
  { path: '/admin/numbers', load: () => import('./admin/Numbers.svelte'), role: 'admin' },
  { path: '/admin/groups', load: () => import('./admin/Groups.svelte'), role: 'admin' },
  { path: '/admin/trunks', load: () => import('./admin/Trunks.svelte'), role: 'admin' },
  { path: '/admin/recording', load: () => import('./admin/Recording.svelte'), role: 'admin' },
  { path: '/admin/scripts', load: () => import('./admin/Scripts.svelte'), role: 'admin' },
  { path: '/admin/outcomes', load: () => import('./admin/Outcomes.svelte'), role: 'admin' },
  { path: '/admin/tokens', load: () => import('./admin/Tokens.svelte'), role: 'admin' },
  { path: '/admin/settings', load: () => import('./admin/Settings.svelte'), role: 'admin' },
  { path: '/admin/health', load: () => import('./admin/Health.svelte'), role: 'admin' },
  { path: '/admin/audit', load: () => import('./admin/Audit.svelte'), role: 'admin' },
  { path: '/people', load: () => import('./people/People.svelte') },
  { path: '/people/import', load: () => import('./people/Import.svelte'), role: 'manager' },
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
