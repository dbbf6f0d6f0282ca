export const common = {
  save: 'Save',
  cancel: 'Cancel',
  close: 'Close',
  delete: 'Delete',
  edit: 'Edit',
  look: 'Look at',
  add: 'Add',
  retry: 'Try again',
  loading: 'Loading…',
  more: 'More',
  all: 'All',
  none: 'None',
  yes: 'Yes',
  no: 'No',
  search: 'Search',
  back: 'Back',
  call: 'Call',
  optional: 'optional',
  saved: 'Saved.',
  copy: 'Copy',
  copied: 'Copied.',
  news: 'News',
  notCopied: (text: string) => `The browser does not let this page copy. Copy it by hand: ${text}`,
  nothingFound: 'Nothing was found.',
  unknown: 'Unknown',
  kinds: { lead: 'Lead', contact: 'Contact', company: 'Company', deal: 'Deal' } as Record<string, string>,
  phoneLabels: { mobile: 'Mobile', home: 'Home', work: 'Work', main: 'Main', fax: 'Fax', other: 'Other' } as Record<
    string,
    string
  >,
  roles: { rep: 'Rep', manager: 'Manager', admin: 'Admin' } as Record<string, string>,
};

export const problems = {
  unexpected: 'Something went wrong here. Try again; if it stays, tell your admin what you did.',
  unreachable: 'The telephone system cannot be reached. Check the network; it is tried again by itself.',
  /** By the engine's code, where the page says it better than the engine. */
  /** For an admin, who can do it themselves. */
  ownNumber: { missing: 'You have no number of your own yet.', assign: 'Assign one' },
  codes: {
    unauthorized: 'E-mail address or password is wrong.',
  } as Record<string, string>,
};
