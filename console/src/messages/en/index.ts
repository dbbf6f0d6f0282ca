import { admin } from './admin';
import { common, problems } from './common';
import { shell, start } from './shell';

const messages = { admin, common, problems, shell, start };

export type Messages = typeof messages;
export default messages;
