/** What is asked of the engine about a call. The engine decides; what became of it comes with the events. */
import { answer, api, idempotencyKey } from '../api/client';
import type { LiveCall } from '../live/types';

export type RecordingAsk = 'pause' | 'resume' | 'erase';

/** One of the three. */
export interface Guest {
  user?: string;
  group?: string;
  number?: string;
}

const at = (call: LiveCall): { params: { path: { call: string } } } => ({ params: { path: { call: call.id } } });

/** Another phone of this user picks up by itself. */
export async function answerElsewhere(call: LiveCall): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/answer', { ...at(call), body: {} }));
}

export async function forward(call: LiveCall): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/forward', at(call)));
}

export async function ignore(call: LiveCall): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/ignore', at(call)));
}

/** Whatever phone it is. */
export async function mute(call: LiveCall, on: boolean): Promise<void> {
  if (on) await answer(api.POST('/api/v1/calls/{call}/mute', at(call)));
  else await answer(api.POST('/api/v1/calls/{call}/unmute', at(call)));
}

export async function hold(call: LiveCall, leg: string, on: boolean): Promise<void> {
  const params = { path: { call: call.id, leg } };
  if (on) await answer(api.POST('/api/v1/calls/{call}/parties/{leg}/hold', { params }));
  else await answer(api.POST('/api/v1/calls/{call}/parties/{leg}/unhold', { params }));
}

export async function kick(call: LiveCall, leg: string): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/parties/{leg}/kick', { params: { path: { call: call.id, leg } } }));
}

export async function invite(call: LiveCall, guest: Guest): Promise<void> {
  const params = { path: { call: call.id }, header: { 'Idempotency-Key': idempotencyKey() } };
  await answer(api.POST('/api/v1/calls/{call}/invite', { params, body: guest }));
}

export async function cancelInvite(call: LiveCall): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/invite/cancel', at(call)));
}

/** The others talk on. */
export async function leave(call: LiveCall): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/leave', at(call)));
}

export async function hangUp(call: LiveCall): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/hangup', at(call)));
}

export async function digits(call: LiveCall, keys: string): Promise<void> {
  await answer(api.POST('/api/v1/calls/{call}/digits', { ...at(call), body: { digits: keys } }));
}

export async function recording(call: LiveCall, ask: RecordingAsk): Promise<void> {
  if (ask === 'pause') await answer(api.POST('/api/v1/calls/{call}/recording/pause', at(call)));
  else if (ask === 'resume') await answer(api.POST('/api/v1/calls/{call}/recording/resume', at(call)));
  else await answer(api.POST('/api/v1/calls/{call}/recording/erase', at(call)));
}

/** Put the call on a person's record. */
export async function file(callId: string, recordId: string): Promise<void> {
  const params = { path: { call: callId } };
  await answer(api.PUT('/api/v1/calls/{call}/record', { params, body: { record_id: recordId } }));
}
