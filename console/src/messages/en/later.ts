/** Words of screens that few open in a day: loaded with the first of them. */
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
import { textadmin } from './textadmin';
import { timeline } from './timeline';

const later = {
  admin,
  billing,
  design,
  diagnostics,
  imports,
  keeping,
  law,
  lists,
  mysettings,
  orgsettings,
  textadmin,
  timeline,
};

export type Later = typeof later;
export default later;
