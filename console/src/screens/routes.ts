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

export const ROUTES: RouteOf[] = [{ path: '/', load: () => import('./home/Home.svelte') }];

export function find(path: string): { route: RouteOf; params: Params } | null {
  for (const route of ROUTES) {
    const params = match(route.path, path);
    if (params) return { route, params };
  }
  return null;
}
