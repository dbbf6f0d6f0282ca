/**
 * The engine's API. Types come from its own OpenAPI document (`npm run types`), so that an answer that changed fails the
 * build, not the rep.
 *
 *     const page = await answer(api.GET('/api/v1/calls', { params: { query: { limit: 50 } } }));
 */
import createClient, { type Middleware } from 'openapi-fetch';
import { language } from '../i18n/language.svelte';
import type { components, paths } from './schema';

/** What goes over the wire: `Schemas['Call']`, `Schemas['User']`. */
export type Schemas = components['schemas'];

/** A refusal in the engine's own words (RFC 9457). `status` 0: the engine was not reached. */
export class Problem extends Error {
  constructor(
    readonly status: number,
    readonly code: string,
    message: string,
    readonly field: string | null = null,
    readonly details: Record<string, unknown> = {},
  ) {
    super(message);
  }

  /** Whether it may well succeed when it is tried again in a moment. */
  get passing(): boolean {
    return this.status === 0 || this.status === 429 || this.status === 503;
  }
}

let csrf = '';
const signedOut = new Set<() => void>();

export function setCsrf(token: string | null | undefined): void {
  csrf = token ?? '';
}

export function getCsrf(): string {
  return csrf;
}

/** Called when the engine says that nobody is signed in. */
export function onSignedOut(call: () => void): () => void {
  signedOut.add(call);
  return () => signedOut.delete(call);
}

const guard: Middleware = {
  onRequest({ request }) {
    request.headers.set('Accept-Language', language.code); // what the engine says is read by whoever reads this page
    if (request.method !== 'GET') request.headers.set('X-CSRF-Token', csrf);
    return request;
  },
  onResponse({ response, schemaPath }) {
    if (response.status === 401 && schemaPath !== '/api/v1/session') for (const call of signedOut) call();
  },
};

export const api = createClient<paths>({ baseUrl: '' });
api.use(guard);

interface Told<T> {
  data?: T;
  error?: unknown;
  response: Response;
}

/** The answer's body. Throws Problem. */
export async function answer<T>(asked: Promise<Told<T>>): Promise<T> {
  let told: Told<T>;
  try {
    told = await asked;
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error;
    throw new Problem(0, 'unreachable', '');
  }
  if (told.response.ok) return told.data as T;
  throw problemOf(told.response, told.error);
}

export function problemOf(response: Response, body: unknown): Problem {
  const said = typeof body === 'object' && body !== null ? (body as Record<string, unknown>) : {};
  const text = (name: string): string => (typeof said[name] === 'string' ? (said[name] as string) : '');
  return new Problem(
    response.status,
    text('code') || `http_${response.status}`,
    text('detail'),
    text('field') || null,
    said,
  );
}

/** For the header Idempotency-Key: one for each time a person asks for a call, so that a repeat dials nothing. */
export function idempotencyKey(): string {
  return crypto.randomUUID();
}
