import type { Later } from '../en/later';
import { admin } from './admin';
import { billing } from './billing';
import { design } from './design';
import { diagnostics } from './diagnostics';
import { imports } from './imports';
import { keeping } from './keeping';
import { law } from './law';
import { lists } from './lists';
import { mysettings } from './mysettings';
import { orgsettings } from './orgsettings';
import { deals, people } from './people';
import { reports } from './reports';
import { saved } from './saved';
import { textadmin } from './textadmin';
import { texts } from './texts';
import { timeline } from './timeline';
import { webhooks } from './webhooks';

const later: Later = {
  admin,
  billing,
  deals,
  design,
  diagnostics,
  imports,
  keeping,
  law,
  lists,
  mysettings,
  orgsettings,
  people,
  reports,
  saved,
  textadmin,
  texts,
  timeline,
  webhooks,
};

export default later;
