import type { Messages } from '../en';
import { admin } from './admin';
import { common, problems } from './common';
import { shell, start } from './shell';

const messages: Messages = { admin, common, problems, shell, start };

export default messages;
