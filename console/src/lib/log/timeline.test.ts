import { describe, expect, it } from 'vitest';
import en from '../../messages/en/later';
import ja from '../../messages/ja/later';
import { timelineOf, type Names } from './timeline';

/** Every kind that the engine writes into a call's journal (pbx/core, pbx/services): a new one belongs here, and in words. */
const KINDS = `
  announcement answer.asked answer.picked_up call.answered call.created call.ended call.linked call.matched call.refused
  call.state call.unattended command.failed digits.sent drop.played drop.started forward.accepted gate.verdict guest.joined host.changed
  invite.created invite.ended keys.refused leg.answered leg.created leg.ended leg.held leg.muted leg.ringing leg.trunk leg.unheld
  leg.unmuted note.saved party.left phone.back phone.given_up phone.lost recording.announced recording.erased
  recording.finished recording.not_started recording.paused recording.private_begins recording.private_ends
  recording.resumed recording.started recording.stopped recording.track transfer.asked transfer.done
  transfer.handed_over transfer.recalled transfer.refused transfer.waiting trunk.failed trunk.silent user.away user.busy
  user.forwarded user.ignored user.offline voicemail.empty voicemail.finished voicemail.started`
  .trim()
  .split(/\s+/);

const names: Names = {
  leg: (id) => (id === 'leg_1' ? 'Mara Lind' : 'Mio'),
  user: (id) => (id === 'u_1' ? 'Mio' : ''),
  number: (e164) => (e164 === '+12065550142' ? '(206) 555-0142' : e164),
  record: (_type, id) => (id === 'p_1' ? 'Mara Lind' : ''),
};
const fact = (kind: string, data: Record<string, unknown> | null = {}) => ({ seq: 1, at_us: 1, kind, data });
const told = (kind: string, data: Record<string, unknown> | null = {}) =>
  timelineOf([fact(kind, data)], names, en.timeline)[0];

describe('the timeline of a call (R1)', () => {
  it.each(KINDS)('has words for %s in each language', (kind) => {
    for (const { timeline } of [en, ja]) {
      const [entry] = timelineOf([fact(kind, null)], names, timeline);
      expect(entry?.text).toBeTruthy();
      expect(entry?.text).not.toContain(kind);
      expect(entry?.text).not.toMatch(/undefined|null|NaN/);
    }
  });

  it('tells no kinds that there are not', () => {
    expect(Object.keys(en.timeline.facts).sort()).toEqual([...KINDS].sort());
    expect(Object.keys(ja.timeline.facts).sort()).toEqual([...KINDS].sort());
  });

  it('has the same words of the engine in each language', () => {
    expect(Object.keys(ja.timeline.words).sort()).toEqual(Object.keys(en.timeline.words).sort());
  });

  it('names people and writes numbers as people do', () => {
    expect(told('call.created', { direction: 'inbound', customer: '+12065550142', did: '+1415' })?.text).toBe(
      '(206) 555-0142 calls +1415.',
    );
    expect(told('leg.answered', { leg: 'leg_1' })?.text).toBe('Mara Lind picked up.');
    expect(told('call.ended', { disposition: 'answered', ended_by: 'u_1' })?.text).toBe(
      'The call is over: answered, ended by Mio.',
    );
    expect(told('call.linked', { record_type: 'contact', record_id: 'p_1', by: 'u_1' })?.text).toBe(
      'Filed under Mara Lind by Mio.',
    );
  });

  it('keeps steps of the machine apart, but not a refusal', () => {
    expect(told('gate.verdict', { allowed: true, number: '+1' })?.minor).toBe(true);
    expect(told('gate.verdict', { allowed: false, reason: 'do_not_call', number: '+1' })).toMatchObject({
      minor: false,
      text: 'A call to +1 may not go out: the number is on the do-not-call list',
    });
  });

  it('shows plainly what it does not know', () => {
    expect(told('moon.landed')?.text).toContain('moon.landed');
  });
});
