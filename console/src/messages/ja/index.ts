import type { Messages } from '../en';
import { admin } from './admin';
import { call } from './call';
import { common, problems } from './common';
import { deals, people } from './people';
import { phone } from './phone';
import { shell, start } from './shell';

const messages: Messages = {
  admin,
  call,
  common,
  deals,
  people,
  phone,
  problems,
  shell,
  start,
};

export default messages;
