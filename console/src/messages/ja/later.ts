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
import { textadmin } from './textadmin';
import { timeline } from './timeline';

const later: Later = {
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

export default later;
