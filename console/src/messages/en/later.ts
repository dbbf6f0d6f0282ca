/** Words of the screens behind the first ones: loaded with the first of them, so that every page begins at once. */
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

const later = {
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

export type Later = typeof later;
export default later;
