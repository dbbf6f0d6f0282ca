import type { Messages } from '../en';
import { common, problems } from './common';
import { shell, start } from './shell';

const messages: Messages = { common, problems, shell, start };

export default messages;
