/** Every address of the console and the screen behind it, loaded when it is first opened. */
import type { Component } from 'svelte';
import { language } from '../lib/i18n/language.svelte';
import type { Ask } from '../lib/api/rights';
import { match, type Params } from '../lib/router.svelte';
import { session, type Role } from '../lib/session.svelte';

// A screen takes the parts of its address as properties, all of them text.
// eslint-disable-next-line @typescript-eslint/no-explicit-any
type Screen = Component<any>;

interface RouteOf {
  path: string;
  load: () => Promise<{ default: Screen }>;
  /** Who may open it: whoever may ask this of the engine, and has this role; everybody where neither stands here. */
  asks?: Ask;
  role?: Role;
}

/** Their words are not among those that every page begins with. */
function behind(load: RouteOf['load']): RouteOf['load'] {
  return async () => (await Promise.all([load(), language.all()]))[0];
}

/** One of the admin pages: for managers, too, as far as the engine lets them read what stands there. */
function room(path: string, asks: Ask, load: RouteOf['load']): RouteOf {
  return { path, load: behind(load), asks, role: 'manager' };
}

export const ROUTES: RouteOf[] = [
  { path: '/', load: () => import('./home/Home.svelte') },
  { path: '/calls', load: behind(() => import('./calls/CallLog.svelte')) },
  { path: '/calls/:call', load: behind(() => import('./calls/CallDetail.svelte')) },
  { path: '/calls/:call/summary', load: () => import('./summary/Summary.svelte') },
  { path: '/lists', load: behind(() => import('./lists/Lists.svelte')) },
  { path: '/lists/run', load: behind(() => import('./lists/Runner.svelte')) },
  { path: '/lists/:list', load: behind(() => import('./lists/CallList.svelte')) },
  { path: '/texts', load: behind(() => import('./texts/Texts.svelte')) },
  { path: '/texts/:conversation', load: behind(() => import('./texts/Texts.svelte')) },
  { path: '/voicemail', load: () => import('./voicemail/Voicemails.svelte') },
  { path: '/reports', load: behind(() => import('./reports/Reports.svelte')), asks: 'GET /reports/calls' },
  { path: '/settings', load: behind(() => import('./settings/Settings.svelte')) },
  { path: '/diagnostics', load: behind(() => import('./diagnostics/Diagnostics.svelte')) },
  { path: '/design', load: behind(() => import('./design/Design.svelte')) },
  room('/admin', 'GET /doctor', () => import('./admin/Overview.svelte')),
  room('/admin/users', 'GET /users', () => import('./admin/Users.svelte')),
  room('/admin/numbers', 'GET /numbers', () => import('./admin/Numbers.svelte')),
  room('/admin/phones', 'GET /devices', () => import('./admin/Phones.svelte')),
  room('/admin/groups', 'GET /groups', () => import('./admin/Groups.svelte')),
  room('/admin/trunks', 'GET /trunks', () => import('./admin/Trunks.svelte')),
  room('/admin/transports', 'GET /text-transports', () => import('./admin/Transports.svelte')),
  room('/admin/templates', 'POST /text-templates', () => import('./admin/Templates.svelte')),
  room('/admin/registration', 'GET /text-brands', () => import('./admin/Registration.svelte')),
  room('/admin/calling', 'GET /do-not-call', () => import('./admin/Calling.svelte')),
  room('/admin/billing', 'GET /bills', () => import('./billing/Billing.svelte')),
  room('/admin/recording', 'GET /settings', () => import('./admin/Recording.svelte')),
  room('/admin/law', 'GET /law/rules', () => import('./admin/Law.svelte')),
  room('/admin/retention', 'GET /law/holds', () => import('./admin/Retention.svelte')),
  room('/admin/scripts', 'GET /scripts', () => import('./admin/Scripts.svelte')),
  room('/admin/outcomes', 'GET /outcomes', () => import('./admin/Outcomes.svelte')),
  room('/admin/tokens', 'GET /tokens', () => import('./admin/Tokens.svelte')),
  room('/admin/webhooks', 'GET /webhooks', () => import('./admin/Webhooks.svelte')),
  room('/admin/settings', 'GET /settings', () => import('./admin/Settings.svelte')),
  room('/admin/blocks', 'GET /blocks', () => import('./admin/Blocks.svelte')),
  room('/admin/health', 'GET /doctor', () => import('./admin/Health.svelte')),
  room('/admin/audit', 'GET /audit', () => import('./admin/Audit.svelte')),
  { path: '/people', load: behind(() => import('./people/People.svelte')) },
  { path: '/people/import', load: behind(() => import('./people/Import.svelte')), asks: 'POST /imports' },
  { path: '/people/:record', load: behind(() => import('./people/Record.svelte')) },
  { path: '/deals', load: behind(() => import('./deals/Deals.svelte')) },
  { path: '/deals/:deal', load: behind(() => import('./deals/Deal.svelte')) },
];

/** The screen at an address; null where there is none, or none for who is signed in. */
export function find(path: string): { route: RouteOf; params: Params } | null {
  for (const route of ROUTES) {
    const params = match(route.path, path);
    if (params) return mayOpen(route) ? { route, params } : null;
  }
  return null;
}

function mayOpen({ asks, role }: RouteOf): boolean {
  return (!role || session.may(role)) && (!asks || session.mayAsk(asks));
}
