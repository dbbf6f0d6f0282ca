/** What a call costs, where it is made: before dialling, in the bar, and when the credit runs out. */
export const price = {
  perMinute: (amount: string) => `${amount}/min`,
  withSetup: (amount: string, setup: string) => `${amount}/min + ${setup}`,
  about: (amount: string) => `A call costs ${amount}`,
  soFar: 'Cost so far',
  cost: 'Cost',
  low: (left: string) => `The balance is down to ${left}.`,
  empty: 'The credit is used up: new calls are refused until the account is topped up.',
  topUp: 'Top up',
};
