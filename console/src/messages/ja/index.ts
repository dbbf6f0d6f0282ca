import type { First } from '../en';
import { call } from './call';
import { common, problems } from './common';
import { log } from './log';
import { phone } from './phone';
import { price } from './price';
import { shell, start } from './shell';
import { work } from './work';

const messages: First = {
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

export default messages;
