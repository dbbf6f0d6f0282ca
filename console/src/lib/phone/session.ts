/**
 * The sound of one call. Whether the call stands, who is in it and who holds whom is the engine's to say: this mutes, sends
 * digits, hangs up, and keeps the sound going while the connection beside it comes and goes.
 */
import type { EndEvent, IncomingEvent, OutgoingEvent, RTCSession, TerminateOptions } from 'jssip/lib/RTCSession';
import type { IncomingRequest } from 'jssip/lib/SIPMessage';
import { Statistics } from './statistics';
import { PhoneError, problem, type PhoneProblem, type PhoneSession, type PhoneStatistics } from './types';

/** A STUN server that does not answer keeps JsSIP for 40 s; what has not come half a second after the first comes late. */
const CANDIDATES_MS = 500;
/** ICE mends small breaks by itself. */
const BREAK_MS = 1_500;
const RETRY_MS = 500;
const DIGIT_MS = 120;
const GAP_MS = 80;

/** With the second a page is rung again that went away in a call. */
const CALL_HEADERS = ['X-Switchhook-Call', 'X-Switchhook-Rejoin'];
/** What JsSIP calls the ends that no party of the call wanted. */
const BROKEN = new Set([
  'Authentication Error',
  'Bad Media Description',
  'Connection Error',
  'Incompatible SDP',
  'Internal Error',
  'Missing SDP',
  'Request Timeout',
  'RTP Timeout',
  'WebRTC Error',
]);

export interface SessionEnds {
  changed(): void;
  heard(track: MediaStreamTrack): void;
  /** The path of the sound is broken. It can be sought anew (`restart`) while registered. */
  broken(session: Session): void;
  ended(session: Session, why: PhoneProblem | null): void;
}

export class Session {
  readonly id: string;
  readonly direction: 'in' | 'out';
  readonly callId: string | null;
  readonly number: string;
  /** The engine asks that it be taken without a ring: it was answered, or dialled, in the console. */
  readonly takesItself: boolean;
  /** It was asked to be taken: it rings no more, and a second click does nothing. */
  answering = false;
  /** The far phone rings and sends no sound of its own. */
  silentRing = false;
  #state: PhoneSession['state'];
  #since = Date.now();
  #muted = false;
  /** For what JsSIP itself has ended it; it then calls it cancelled. */
  #why = '';
  #stream: MediaStream | null = null;
  #statistics = new Statistics();
  #break: ReturnType<typeof setTimeout> | undefined;
  #retry: ReturnType<typeof setTimeout> | undefined;

  constructor(
    private readonly rtc: RTCSession,
    request: IncomingRequest | null,
    private readonly ends: SessionEnds,
  ) {
    this.id = rtc.id;
    this.direction = request ? 'in' : 'out';
    this.number = decodeURIComponent(String(rtc.remote_identity.uri.user ?? ''));
    this.callId = CALL_HEADERS.map((name) => request?.getHeader(name)).find(Boolean) ?? null;
    this.takesItself = request !== null && asksToAnswer(request);
    this.#state = request ? 'ringing' : 'progress';
    this.#keepThroughBreaks();
    this.#listen();
  }

  get view(): PhoneSession {
    const { id, direction, callId, number } = this;
    return { id, direction, callId, number, state: this.#state, muted: this.#muted, since: this.#since };
  }

  get state(): PhoneSession['state'] {
    return this.#state;
  }

  get up(): boolean {
    return this.#state === 'up' || this.#state === 'held';
  }

  /** Whether the microphone that it speaks from is gone. */
  get deaf(): boolean {
    return this.#stream !== null && this.#stream.getAudioTracks().every((track) => track.readyState === 'ended');
  }

  answer(stream: MediaStream, iceServers: RTCIceServer[]): void {
    this.#speakFrom(stream);
    const silenced = { audio: true, video: false };
    this.rtc.answer({ mediaStream: stream, mediaConstraints: silenced, pcConfig: { iceServers } });
  }

  /** For a call of ours: what it was begun with. */
  began(stream: MediaStream): void {
    this.#speakFrom(stream);
  }

  /** A call that rings is declined: for all phones of this user (603), or it goes on elsewhere (480). */
  end(here: 'here' | 'everywhere' = 'everywhere'): void {
    if (this.rtc.isEnded()) return;
    if (this.#state === 'ringing') this.rtc.terminate({ status_code: here === 'here' ? 480 : 603 });
    else this.rtc.terminate();
  }

  mute(on: boolean): void {
    if (on) this.rtc.mute({ audio: true });
    else this.rtc.unmute({ audio: true });
    this.#muted = on;
    this.ends.changed();
  }

  /** In the sound itself (RFC 4733): no message that a broken connection could lose. */
  sendDigit(digits: string): void {
    const sender = this.rtc.connection.getSenders().find(({ track }) => track?.kind === 'audio');
    if (!sender?.dtmf?.canInsertDTMF) throw new PhoneError(problem('no_call'));
    sender.dtmf.insertDTMF(sender.dtmf.toneBuffer + digits.toUpperCase(), DIGIT_MS, GAP_MS);
  }

  /** Speak from another microphone, without a word to the far side. */
  async replace(stream: MediaStream): Promise<void> {
    const [track] = stream.getAudioTracks();
    const sender = this.rtc.connection?.getSenders().find(({ dtmf }) => dtmf);
    if (!track || !sender) return;
    track.enabled = !this.#muted;
    await sender.replaceTrack(track);
    this.#speakFrom(stream);
  }

  /** Seek a new path for the sound. It also tells us, after the connection was lost, that the far side is gone (481). */
  restart(tries = 20): void {
    clearTimeout(this.#retry);
    if (!this.up || this.rtc.isEnded()) return;
    const options = { rtcOfferConstraints: { iceRestart: true } };
    if (!this.rtc.renegotiate(options) && tries > 0) this.#retry = setTimeout(() => this.restart(tries - 1), RETRY_MS);
  }

  async statistics(): Promise<PhoneStatistics> {
    const report = (await this.rtc.connection.getStats()) as unknown as Map<string, { id: string; type: string }>;
    return this.#statistics.read(report.values());
  }

  #listen(): void {
    const { rtc } = this;
    rtc.on('peerconnection', ({ peerconnection }) => this.#watch(peerconnection));
    if (rtc.connection) this.#watch(rtc.connection);
    rtc.on('icecandidate', ({ ready }) => setTimeout(ready, CANDIDATES_MS));
    rtc.on('progress', (event: IncomingEvent | OutgoingEvent) => {
      this.silentRing = 'response' in event && this.direction === 'out' && !event.response?.body;
      this.ends.changed();
    });
    rtc.on('accepted', () => this.#now('up', true));
    rtc.on('hold', () => this.#now('held'));
    rtc.on('unhold', () => this.#now('up'));
    rtc.on('ended', (event) => this.#ended(event));
    rtc.on('failed', (event) => this.#ended(event));
  }

  /** After a hold the remote track is another one, so each is attached. */
  #watch(connection: RTCPeerConnection): void {
    connection.addEventListener('track', ({ track }) => this.ends.heard(track));
    connection.addEventListener('iceconnectionstatechange', () => {
      clearTimeout(this.#break);
      if (connection.iceConnectionState !== 'disconnected') return;
      this.#break = setTimeout(() => this.ends.broken(this), BREAK_MS);
    });
  }

  /**
   * JsSIP hangs up where a message of the call met a lost connection and where ICE has failed. The call is the engine's,
   * which rings this user again or ends it: here it goes on, and its path is sought again.
   */
  #keepThroughBreaks(): void {
    const terminate = this.rtc.terminate.bind(this.rtc);
    this.rtc.terminate = (options?: TerminateOptions) => {
      const cause = options?.cause;
      this.#why = cause ?? '';
      if (this.up && (cause === 'Connection Error' || cause === 'Request Timeout')) return;
      if (this.up && cause === 'RTP Timeout') this.ends.broken(this);
      else terminate(options);
    };
  }

  #now(state: PhoneSession['state'], begins = false): void {
    this.#state = state;
    this.silentRing = false;
    if (begins) this.#since = Date.now();
    this.ends.changed();
  }

  #speakFrom(stream: MediaStream): void {
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    this.#stream = stream;
  }

  #ended({ cause, message }: EndEvent): void {
    clearTimeout(this.#break);
    clearTimeout(this.#retry);
    for (const track of this.#stream?.getTracks() ?? []) track.stop();
    const status = Number((message as { status_code?: number } | null)?.status_code ?? 0);
    const why = [this.#why, cause].find((each) => BROKEN.has(each));
    this.ends.ended(this, why ? problem('call_broken', { cause: why, status }) : null);
  }
}

/** In the two dialects in which the engine says it (RFC 6910's answer-after, and Alert-Info). */
function asksToAnswer(request: IncomingRequest): boolean {
  const told = `${request.getHeader('Call-Info') ?? ''} ${request.getHeader('Alert-Info') ?? ''}`.toLowerCase();
  return /answer-after=0|alert-auto-?answer/.test(told);
}
