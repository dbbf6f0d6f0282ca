import type { Messages } from '../en';

export const price: Messages['price'] = {
  perMinute: (amount) => `${amount}/分`,
  withSetup: (amount, setup) => `${amount}/分 + ${setup}`,
  about: (amount) => `通話料 ${amount}`,
  soFar: '現在の通話料',
  cost: '通話料',
  low: (left) => `残高が${left}まで減っています。`,
  empty: '残高がありません。チャージするまで新しい通話は発信できません。',
  topUp: 'チャージ',
};
