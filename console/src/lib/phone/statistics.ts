/** What the browser counts, in the words of a telephone. */
import type { PhoneStatistics, Quality } from './types';

interface Counted {
  received: number;
  lost: number;
}

type Report = Record<string, unknown> & { id: string; type: string };

/** One per session: loss is that of the time since the question before, not of the whole call. */
export class Statistics {
  #before: Counted = { received: 0, lost: 0 };

  read(report: Iterable<Report>): PhoneStatistics {
    const all = new Map([...report].map((entry) => [entry.id, entry]));
    const one = (type: string): Report | undefined =>
      [...all.values()].find((entry) => entry.type === type && (entry.kind ?? 'audio') === 'audio');
    const [inbound, outbound, far] = [one('inbound-rtp'), one('outbound-rtp'), one('remote-inbound-rtp')];
    const pair = all.get(String(one('transport')?.selectedCandidatePairId));
    const jitterMs = milliseconds(inbound?.jitter);
    const roundTripMs = milliseconds(far?.roundTripTime) ?? milliseconds(pair?.currentRoundTripTime);
    const lossPercent = inbound ? this.#loss(inbound) : null;
    const mos = lossPercent === null ? null : meanOpinion(roundTripMs ?? 0, jitterMs ?? 0, lossPercent);
    return {
      codec: codecName(all.get(String((inbound ?? outbound)?.codecId))),
      pair: pair ? { local: place(all, pair.localCandidateId), remote: place(all, pair.remoteCandidateId) } : null,
      jitterMs,
      lossPercent,
      roundTripMs,
      bytesSent: count(outbound?.bytesSent),
      bytesReceived: count(inbound?.bytesReceived),
      mos,
      quality: mos === null ? null : qualityOf(mos),
    };
  }

  #loss(inbound: Report): number | null {
    const now = { received: count(inbound.packetsReceived), lost: count(inbound.packetsLost) };
    const lost = Math.max(0, now.lost - this.#before.lost);
    const expected = now.received - this.#before.received + lost;
    this.#before = now;
    return expected > 0 ? (100 * lost) / expected : null;
  }
}

/** The E-model as it is mostly shortened: the way there is half the round trip, a jitter buffer adds twice the jitter. */
export function meanOpinion(roundTripMs: number, jitterMs: number, lossPercent: number): number {
  const delay = roundTripMs / 2 + 2 * jitterMs + 10;
  const delayed = delay < 160 ? delay / 40 : (delay - 120) / 10;
  const r = Math.min(93.2, Math.max(0, 93.2 - delayed - 2.5 * lossPercent));
  const mos = 1 + 0.035 * r + 7e-6 * r * (r - 60) * (100 - r);
  return Math.round(100 * Math.max(1, mos)) / 100;
}

export function qualityOf(mos: number): Quality {
  if (mos >= 4) return 'good';
  return mos >= 3.4 ? 'fair' : 'poor';
}

function milliseconds(seconds: unknown): number | null {
  return typeof seconds === 'number' ? Math.round(seconds * 10_000) / 10 : null;
}

function count(value: unknown): number {
  return typeof value === 'number' ? value : 0;
}

function codecName(codec: Report | undefined): string | null {
  return typeof codec?.mimeType === 'string' ? codec.mimeType.replace(/^audio\//i, '').toLowerCase() : null;
}

function place(all: Map<string, Report>, id: unknown): string {
  const candidate = all.get(String(id));
  if (!candidate) return '';
  return `${candidate.candidateType} ${candidate.address ?? ''}:${candidate.port ?? ''} ${candidate.protocol ?? ''}`;
}
