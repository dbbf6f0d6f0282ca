/** Which session of the phone carries the sound of a call of the engine's. */
import type { LiveCall } from '../live/types';
import type { PhoneSession, PhoneState } from '../phone/types';

/**
 * A call that came names its session. For one of ours only the engine knows the id: it is found by this phone and the
 * number, and of two to the same number by their order.
 */
export function soundOf(call: LiveCall, calls: LiveCall[], { sessions, deviceId }: PhoneState): PhoneSession | null {
  const named = sessions.find(({ callId }) => callId === call.id);
  if (named || call.direction === 'inbound') return named ?? null;
  const dialled = digits(call.caller_raw);
  const mine = calls
    .filter((each) => each.direction !== 'inbound' && isHere(each, deviceId) && digits(each.caller_raw) === dialled)
    .sort((one, other) => one.created_us - other.created_us);
  const ours = sessions.filter(
    ({ callId, direction, number }) => callId === null && direction === 'out' && digits(number) === dialled,
  );
  const at = mine.findIndex(({ id }) => id === call.id);
  return at < 0 ? null : (ours[at] ?? null);
}

function isHere(call: LiveCall, deviceId: string | null): boolean {
  return call.legs.some((leg) => leg.device_id === deviceId && leg.ended_us === null);
}

function digits(text: string | null): string {
  return (text ?? '').replace(/[^\d*#]/g, '');
}
