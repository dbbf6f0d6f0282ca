/** What closing codes, refusals and the browser's own errors mean for the phone. */
import { problem, type MicrophoneState, type PhoneProblem } from './types';

/** Codes with which the engine closes GET /sip. All others: connect again. */
const SIGNED_OUT = 4401;
const FORBIDDEN = 4403;
const REPLACED = 4409;

/** Why the connection must not be made again by itself; null: it shall be. */
export function finalClosing(code: number | undefined, reason = ''): PhoneProblem | null {
  if (code === SIGNED_OUT) return problem('signed_out');
  if (code === REPLACED) return problem('phone_elsewhere');
  if (code === FORBIDDEN) return problem('forbidden', { reason });
  return null;
}

/** Why the engine gave no phone. `passing`: it may give one in a moment. */
export function openingRefused(error: unknown): { problem: PhoneProblem; passing: boolean } {
  const status = statusOf(error);
  if (status === 401) return { problem: problem('signed_out'), passing: false };
  if (status === 403) return { problem: problem('forbidden', { reason: '' }), passing: false };
  return { problem: problem('engine_away', { status }), passing: true };
}

function statusOf(error: unknown): number {
  const status = typeof error === 'object' && error !== null ? (error as { status?: unknown }).status : undefined;
  return typeof status === 'number' ? status : 0;
}

export type Browser = 'chrome' | 'edge' | 'firefox' | 'safari' | 'other';

/** Each browser hides its microphone switch elsewhere. */
export function browserOf(userAgent: string): Browser {
  if (/\bEdgA?\//.test(userAgent)) return 'edge';
  if (/\b(Firefox|FxiOS)\//.test(userAgent)) return 'firefox';
  if (/\b(Chrome|CriOS|HeadlessChrome)\//.test(userAgent)) return 'chrome';
  if (/\bSafari\//.test(userAgent)) return 'safari';
  return 'other';
}

/** What getUserMedia failed with. Chrome tells in words only that the system, not the user, refuses. */
export function microphoneRefused(
  error: unknown,
  userAgent: string,
): { state: MicrophoneState; problem: PhoneProblem } {
  const { name, message } = error instanceof Error || error instanceof DOMException ? error : { name: '', message: '' };
  switch (name) {
    case 'NotAllowedError':
    case 'PermissionDeniedError':
    case 'SecurityError': {
      const by = /system/i.test(message) ? 'system' : /policy|secur/i.test(name + message) ? 'policy' : 'user';
      return { state: 'denied', problem: problem('microphone_denied', { browser: browserOf(userAgent), by }) };
    }
    case 'NotFoundError':
    case 'OverconstrainedError':
      return { state: 'missing', problem: problem('microphone_missing') };
    case 'NotReadableError':
    case 'AbortError':
      return { state: 'busy', problem: problem('microphone_busy') };
    default:
      return { state: 'unknown', problem: problem('microphone_failed', { name: name || String(error) }) };
  }
}
