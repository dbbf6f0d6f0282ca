import type { First } from '../en';
import { call } from './call';
import { common, problems } from './common';
import { log } from './log';
import { deals, people } from './people';
import { phone } from './phone';
import { price } from './price';
import { shell, start } from './shell';
import { texts } from './texts';
import { work } from './work';

const messages: First = {
  call,
  common,
  deals,
  log,
  people,
  phone,
  price,
  problems,
  shell,
  start,
  texts,
  work,
};

export default messages;
