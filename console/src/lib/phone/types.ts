/** What the phone tells the page, and what the page may tell the phone. Plain data only: it travels between tabs. */

/**
 * `lost`: it was ready and is on its way back by itself. `elsewhere`: newer pages of this login have the phone.
 * `refused`: the login has ended, or the telephone system does not take this phone.
 */
export type Registration = 'off' | 'connecting' | 'ready' | 'lost' | 'elsewhere' | 'refused';

/** `busy`: another program has it for itself. */
export type MicrophoneState = 'unknown' | 'granted' | 'denied' | 'missing' | 'busy';

export type ProblemCode =
  | 'microphone_denied' // data: browser, by ('user', 'system' or 'policy')
  | 'microphone_missing'
  | 'microphone_busy'
  | 'microphone_failed' // data: name
  | 'insecure_page' // no microphone for pages over http, but for those of this machine
  | 'no_webrtc'
  | 'signed_out'
  | 'phone_elsewhere'
  | 'forbidden' // data: reason
  | 'registration_refused' // data: status
  | 'engine_away' // data: status; 0 where nobody answered
  | 'not_ready'
  | 'no_call'
  | 'number_invalid' // data: number
  | 'call_broken' // data: cause, status
  | 'holder_silent' // the tab that has the phone does not answer
  | 'speaker_fixed'; // this browser plays where the system does

export interface PhoneProblem {
  code: ProblemCode;
  data: Record<string, string | number | boolean>;
}

/** What a command of the phone's rejects with. */
export class PhoneError extends Error {
  constructor(readonly problem: PhoneProblem) {
    super(problem.code);
    this.name = 'PhoneError';
  }
}

export function problem(code: ProblemCode, data: PhoneProblem['data'] = {}): PhoneProblem {
  return { code, data };
}

export interface PhoneSession {
  id: string;
  direction: 'in' | 'out';
  /** The engine's id of the call, where the INVITE told it; else the call is found by `deviceId` and direction. */
  callId: string | null;
  number: string;
  /** `ringing`: it came and nobody has answered; `progress`: we call and nobody has answered. */
  state: 'ringing' | 'progress' | 'up' | 'held';
  muted: boolean;
  /** Since when it is so, in milliseconds of Date.now(): begun, or answered. */
  since: number;
}

export interface AudioDevice {
  id: string;
  /** Empty until the microphone was allowed once. */
  label: string;
}

export interface Devices {
  microphones: AudioDevice[];
  speakers: AudioDevice[];
  /** The ones chosen; '' is the system's. */
  microphone: string;
  speaker: string;
}

export interface PhoneState {
  registration: Registration;
  problem: PhoneProblem | null;
  sessions: PhoneSession[];
  microphone: MicrophoneState;
  devices: Devices;
  /** The SIP name of this login's phone, by which the engine's calls name it. */
  deviceId: string | null;
  /** Whether the browser lets the page sound before somebody has clicked in it. */
  sound: 'locked' | 'unlocked';
  /** Whether this tab has the phone; the others are remote controls. */
  holder: boolean;
}

/** What POST /api/v1/session/phone answers. */
export interface SessionPhone {
  device_id: string;
  secret: string;
  domain: string;
  realm: string;
  path: string;
  ice_servers: { urls: string; username?: string | null; credential?: string | null }[];
}

export type Quality = 'good' | 'fair' | 'poor';

/** Since the question before; null: not known yet. */
export interface PhoneStatistics {
  codec: string | null;
  /** Local and remote end of the path that ICE chose, as "type address:port protocol". */
  pair: { local: string; remote: string } | null;
  jitterMs: number | null;
  lossPercent: number | null;
  roundTripMs: number | null;
  bytesSent: number;
  bytesReceived: number;
  /** 1 to 4.5, by the E-model (ITU-T G.107, simplified). */
  mos: number | null;
  quality: Quality | null;
}

export const NOTHING: PhoneState = {
  registration: 'off',
  problem: null,
  sessions: [],
  microphone: 'unknown',
  devices: { microphones: [], speakers: [], microphone: '', speaker: '' },
  deviceId: null,
  sound: 'locked',
  holder: false,
};
