/** What is downloaded: all that helps, and nothing that is a secret or somebody's number. */
import type { PhoneState, PhoneStatistics } from '../../lib/phone/types';

export interface Facts {
  at: Date;
  page: Record<string, string | boolean>;
  engine: { milliseconds: number | null };
  events: { connected: boolean; last: number | null };
  phone: PhoneState | null;
  statistics: Record<string, PhoneStatistics>;
}

export function report({ at, page, engine, events, phone, statistics }: Facts): string {
  const told = phone && {
    registration: phone.registration,
    problem: phone.problem?.code ?? null,
    microphone: phone.microphone,
    microphones: phone.devices.microphones.length,
    speakers: phone.devices.speakers.length,
    sound: phone.sound,
    holder: phone.holder,
    device: phone.deviceId,
    sessions: phone.sessions.map(({ id, callId, direction, state, muted, since }) => ({
      call: callId,
      direction,
      state,
      muted,
      since: new Date(since).toISOString(),
      statistics: statistics[id] ?? null,
    })),
  };
  return JSON.stringify({ at: at.toISOString(), page, engine, events, phone: told }, null, 2);
}
