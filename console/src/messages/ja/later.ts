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
import { timeline } from './timeline';
import { textadmin } from './textadmin';

const later: Later = {
  admin,
  billing,
  design,
  diagnostics,
  imports,
  keeping,
  lists,
  mysettings,
  orgsettings,
  timeline,
};
const later: Later = { admin, billing, design, diagnostics, imports, keeping, law, lists, mysettings, orgsettings };
  textadmin,
};

export default later;
