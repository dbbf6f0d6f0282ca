/** The state of the phone in one word: of several, the one that a person has to act on. */
import type { PhoneState } from '../phone/types';

export type Condition =
  | 'off'
  | 'starting'
  | 'elsewhere'
  | 'refused'
  | 'connecting'
  | 'lost'
  | 'microphone'
  | 'muffled'
  | 'on_call'
  | 'away'
  | 'ready';

export type Tone = 'neutral' | 'good' | 'warn' | 'bad';

export function conditionOf(shift: 'off' | 'starting' | 'on', phone: PhoneState, available = true): Condition {
  if (shift === 'off') return 'off';
  if (phone.registration === 'elsewhere' || phone.registration === 'refused') return phone.registration;
  if (phone.registration === 'off' && phone.problem) return 'refused'; // this browser is no phone
  if (['denied', 'missing', 'busy'].includes(phone.microphone)) return 'microphone';
  if (shift === 'starting') return 'starting';
  if (phone.registration === 'lost') return 'lost';
  if (phone.registration !== 'ready') return 'connecting';
  if (phone.sessions.some(({ state }) => state === 'up' || state === 'held')) return 'on_call';
  if (!available) return 'away';
  return phone.sound === 'locked' ? 'muffled' : 'ready';
}

export const TONES: Record<Condition, Tone> = {
  off: 'neutral',
  starting: 'neutral',
  connecting: 'neutral',
  elsewhere: 'warn',
  refused: 'bad',
  lost: 'bad',
  microphone: 'bad',
  muffled: 'warn',
  on_call: 'good',
  away: 'warn',
  ready: 'good',
};
