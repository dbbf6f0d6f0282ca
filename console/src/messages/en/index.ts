import { call } from './call';
import { common, problems } from './common';
import type { Later } from './later';
import { log } from './log';
import { phone } from './phone';
import { price } from './price';
import { shell, start } from './shell';
import { work } from './work';

const messages = {
  call,
  common,
  log,
  phone,
  price,
  problems,
  shell,
  start,
  work,
};

export type First = typeof messages;
export type Messages = First & Later;
export default messages;
