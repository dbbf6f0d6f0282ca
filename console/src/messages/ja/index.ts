import type { Messages } from '../en';
import { admin } from './admin';
import { call } from './call';
import { common, problems } from './common';
import { phone } from './phone';
import { shell, start } from './shell';

const messages: Messages = { admin, call, common, phone, problems, shell, start };
import { deals, people } from './people';
import { shell, start } from './shell';

const messages: Messages = { common, deals, people, problems, shell, start };

export default messages;
