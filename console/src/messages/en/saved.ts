/** Filters of lists that are kept under a name. */
export const saved = {
  title: 'Saved filters',
  none: 'Nothing is saved for this page yet.',
  chooseFirst: 'Choose something in the filters, then save it here.',
  mine: 'Mine',
  shared: 'Shared by others',
  isShared: 'shared',
  save: 'Save this filter',
  edit: 'Edit filter',
  copy: 'Copy link',
  copied: 'The link is copied.',
  name: 'Name',
  share: 'Share with everybody',
  shareHint: 'They see what their own rights let them see.',
  replace: 'Take what is chosen now',
  replaceHint: 'Otherwise the filter stays as it was saved.',
  removing: 'The list stays as it is.',
  removingShared: 'It is gone for everybody. The list stays as it is.',
  bulk: {
    all: 'All calls that fit',
    selected: (count: number) => (count === 1 ? '1 call selected' : `${count} calls selected`),
    select: (who: string, when: string) => `Select the call with ${who}, ${when}`,
    selectAll: 'Select all that are shown',
    export: 'Export CSV',
    outcome: 'Set outcome',
    outcomeHint: 'Your own open summaries among these calls are saved with it.',
    saved: (count: number) =>
      count === 0
        ? 'None of these calls waits for a summary of yours.'
        : count === 1
          ? '1 summary saved.'
          : `${count} summaries saved.`,
    topic: {
      title: 'Set topic',
      text: 'Your own summaries of these calls get this deal as their topic. It must be one of the person’s deals.',
      none: 'The people of these calls have no deals.',
      which: 'Deal',
      without: 'No topic',
      does: 'Set topic',
      done: (count: number) => (count === 1 ? 'The topic of 1 call is set.' : `The topic of ${count} calls is set.`),
    },
    erase: {
      does: 'Delete recordings',
      title: (count: number) => (count === 1 ? 'Delete 1 recording?' : `Delete ${count} recordings?`),
      text: 'The sound is destroyed for good. The calls stay in the log.',
      nothing: 'None of these calls has a recording that you may delete.',
      stays: {
        held: (count: number) =>
          count === 1
            ? '1 recording stays: it is under legal hold.'
            : `${count} recordings stay: they are under legal hold.`,
        not_yours: (count: number) =>
          count === 1
            ? '1 recording stays: you took no part in its call.'
            : `${count} recordings stay: you took no part in their calls.`,
        being_made: (count: number) =>
          count === 1
            ? '1 recording stays: it is not finished yet.'
            : `${count} recordings stay: they are not finished yet.`,
      },
      done: (count: number) => (count === 1 ? '1 recording deleted.' : `${count} recordings deleted.`),
    },
  },
};
