import { expect, test } from 'vitest';
import { meanOpinion, qualityOf, Statistics } from './statistics';

function report(received: number, lost: number): { id: string; type: string; [name: string]: unknown }[] {
  return [
    {
      id: 'I',
      type: 'inbound-rtp',
      kind: 'audio',
      codecId: 'C',
      packetsReceived: received,
      packetsLost: lost,
      jitter: 0.0042,
      bytesReceived: 9,
    },
    { id: 'O', type: 'outbound-rtp', kind: 'audio', codecId: 'C', bytesSent: 7 },
    { id: 'R', type: 'remote-inbound-rtp', kind: 'audio', roundTripTime: 0.031 },
    { id: 'C', type: 'codec', mimeType: 'audio/opus' },
    { id: 'T', type: 'transport', selectedCandidatePairId: 'P' },
    { id: 'P', type: 'candidate-pair', localCandidateId: 'L', remoteCandidateId: 'F', currentRoundTripTime: 0.5 },
    { id: 'L', type: 'local-candidate', candidateType: 'host', address: '10.0.0.7', port: 4000, protocol: 'udp' },
    { id: 'F', type: 'remote-candidate', candidateType: 'relay', address: '192.0.2.1', port: 3478, protocol: 'udp' },
  ];
}

test('what the browser counts is told in the words of a telephone', () => {
  expect(new Statistics().read(report(100, 0))).toEqual({
    codec: 'opus',
    pair: { local: 'host 10.0.0.7:4000 udp', remote: 'relay 192.0.2.1:3478 udp' },
    jitterMs: 4.2,
    lossPercent: 0,
    roundTripMs: 31,
    bytesSent: 7,
    bytesReceived: 9,
    mos: 4.39,
    quality: 'good',
  });
});

test('loss is that since the question before', () => {
  const statistics = new Statistics();
  expect(statistics.read(report(90, 10)).lossPercent).toBe(10);
  expect(statistics.read(report(190, 10)).lossPercent).toBe(0);
  expect(statistics.read(report(265, 35)).lossPercent).toBe(25);
});

test('a call without sound yet has no quality', () => {
  const told = new Statistics().read([]);
  expect([told.codec, told.pair, told.lossPercent, told.mos, told.quality]).toEqual([null, null, null, null, null]);
});

test('quality falls with delay, jitter and loss, and stays on its scale', () => {
  expect(qualityOf(meanOpinion(40, 5, 0))).toBe('good');
  expect(qualityOf(meanOpinion(300, 30, 3))).toBe('fair');
  expect(qualityOf(meanOpinion(200, 20, 15))).toBe('poor');
  expect(meanOpinion(20_000, 1_000, 100)).toBe(1);
});
