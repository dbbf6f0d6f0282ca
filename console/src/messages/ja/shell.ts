import type { Messages } from '../en';

export const shell: Messages['shell'] = {
  skip: '本文へ移動',
  navigation: 'メイン',
  nav: {
    home: 'ホーム',
    people: '顧客',
    deals: '商談',
    lists: '発信リスト',
    calls: '通話',
    texts: 'SMS',
    voicemail: '留守番電話',
    reports: 'レポート',
    settings: '個人設定',
    admin: '管理',
    diagnostics: '診断',
  },
  voice: '電話',
  voiceLong: '相手を検索して電話をかける',
  connecting: '電話システムに接続しています…',
  offline: '接続が切れました。通話は続いています。ページは自動的に復帰します。',
  signOut: 'サインアウト',
  account: 'アカウント',
  theme: '外観',
  themes: { auto: 'システムに合わせる', light: 'ライト', dark: 'ダーク' },
  language: '言語',
  keys: 'キーボードショートカット',
  newTexts: (count) => `未読の SMS ${count} 件`,
  newMessages: (count) => `新しいメッセージ ${count} 件`,
  notFound: 'ページが見つかりません。',
  notFoundText: 'アドレスが古いか、表示する権限がありません。',
  toHome: 'ホームへ',
  broken: 'ページを読み込めませんでした。',
};

export const start: Messages['start'] = {
  title: 'サインイン',
  email: 'メールアドレス',
  password: 'パスワード',
  signIn: 'サインイン',
  waiting: '電話システムの応答を待っています…',
};
