import { common, problems } from './common';
import { shell, start } from './shell';

const messages = { common, problems, shell, start };

export type Messages = typeof messages;
export default messages;
