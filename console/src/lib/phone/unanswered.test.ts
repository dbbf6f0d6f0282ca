import { expect, test } from 'vitest';
import { Unanswered } from './unanswered';

function invite(cseq: number, to = '<sip:+12065550150@switchhook>'): string {
  const lines = [
    'INVITE sip:+12065550150@switchhook SIP/2.0',
    `Via: SIP/2.0/WS a.invalid;branch=z9hG4bK${cseq}`,
    'Max-Forwards: 69',
    `To: ${to}`,
    'From: <sip:bmio@switchhook>;tag=f1',
    'Call-ID: c1',
    `CSeq: ${cseq} INVITE`,
    'Content-Length: 3',
  ];
  return lines.join('\r\n') + '\r\n\r\nv=0';
}

test('a call that was given up is cancelled once, as the INVITE with the credentials said it', () => {
  const unanswered = new Unanswered();
  unanswered.sent(invite(1));
  unanswered.sent(invite(2));
  unanswered.over('c1f1', true);
  const [cancel, ...more] = unanswered.take();
  expect(more).toEqual([]);
  expect(cancel?.split('\r\n')).toEqual([
    'CANCEL sip:+12065550150@switchhook SIP/2.0',
    'Via: SIP/2.0/WS a.invalid;branch=z9hG4bK2',
    'To: <sip:+12065550150@switchhook>',
    'From: <sip:bmio@switchhook>;tag=f1',
    'Call-ID: c1',
    'Max-Forwards: 69',
    'CSeq: 2 CANCEL',
    'Content-Length: 0',
    '',
    '',
  ]);
  expect(unanswered.take()).toEqual([]);
});

test('a call that ended by itself, and an INVITE within a call, cancel nothing', () => {
  const unanswered = new Unanswered();
  unanswered.sent(invite(1));
  unanswered.over('c1f1', false);
  unanswered.sent(invite(3, '<sip:+12065550150@switchhook>;tag=t1'));
  unanswered.over('c1f1', true);
  expect(unanswered.take()).toEqual([]);
});
