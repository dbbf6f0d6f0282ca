/** What the event stream carries; the engine's `hub` writes it, and tests hold both together. */
import type { Schemas } from '../api/client';

/** A call as it stands; its timeline comes with the log's detail only. */
export type LiveCall = Omit<Schemas['CallDetail'], 'timeline'>;

/** In events also of a user who is there no longer. */
export type Presence = Omit<Schemas['Presence'], 'state'> & { state: Schemas['Presence']['state'] | 'gone' };

export type Summary = Schemas['Summary'];
export type Task = Schemas['Task'];

export interface Unheard {
  id: string;
  call_id: string | null;
  caller_number: string | null;
  duration_ms: number | null;
  created_us: number;
}

export interface Fact {
  seq: number;
  kind: string;
  at_us: number;
  data: Record<string, unknown>;
}

export interface Snapshot {
  type: 'snapshot';
  epoch: string;
  n: number;
  revision: number;
  calls: LiveCall[];
  presence: Presence[];
  alerts: Schemas['AlertView'][];
  voicemails: Unheard[];
  summaries: Summary[];
  tasks: Task[];
  /** Tasks that are due later are not shown among those to do. */
  tasks_until_us: number;
}

export type LiveEvent = { n: number } & (
  | { type: 'call'; call: LiveCall; facts: Fact[] }
  | { type: 'call.noted'; call_id: string; facts: Fact[] }
  | { type: 'presence'; presence: Presence[] }
  | { type: 'voicemail'; voicemail_id: string; unheard: Unheard | null }
  | { type: 'alert'; alert_id: string; alert: Schemas['AlertView'] | null }
  | { type: 'summary'; summary: Summary }
  | { type: 'task'; task_id: string; task: Task | null }
  | { type: 'reminder'; task: Task }
  | { type: 'configuration'; revision: number }
);

export type Frame = Snapshot | LiveEvent | { type: 'resumed'; epoch: string; n: number; missed: number };
