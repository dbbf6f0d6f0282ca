import type { Messages } from '../en';
import { admin } from './admin';
import { call } from './call';
import { common, problems } from './common';
import { log } from './log';
import { imports } from './imports';
import { design } from './design';
import { diagnostics } from './diagnostics';
import { mysettings } from './mysettings';
import { deals, people } from './people';
import { phone } from './phone';
import { shell, start } from './shell';
import { timeline } from './timeline';
import { work } from './work';

const messages: Messages = { admin, call, common, deals, log, people, phone, problems, shell, start, timeline, work };
const messages: Messages = {
  admin,
  call,
  common,
  deals,
  imports,
  design,
  diagnostics,
  mysettings,
  people,
  phone,
  problems,
  shell,
  start,
};

export default messages;
