/** What the event stream carries, as the engine's API description has it. */
import type { Schemas } from '../api/client';

export type Frame = Schemas['Frame'];
export type Snapshot = Schemas['Snapshot'];
export type LiveEvent = Exclude<Frame, Schemas['Snapshot'] | Schemas['Resumed']>;

/** A call as it stands; outcomes and the timeline come with the log only. */
export type LiveCall = Schemas['LiveCall'];
/** In events also of a user who is there no longer. */
export type Presence = Schemas['PresenceChange'];
export type Summary = Schemas['Summary'];
export type ListRun = Schemas['ListRun'];
export type Task = Schemas['Task'];
export type Unheard = Schemas['Unheard'];
export type Fact = Schemas['Fact'];
export type Conversation = Schemas['Conversation'];
export type Text = Schemas['Text'];
