import type { Messages } from '../en';

export const common: Messages['common'] = {
  save: '保存',
  cancel: 'キャンセル',
  close: '閉じる',
  delete: '削除',
  edit: '編集',
  look: '表示',
  add: '追加',
  retry: '再試行',
  loading: '読み込み中…',
  more: 'その他',
  all: 'すべて',
  none: 'なし',
  yes: 'はい',
  no: 'いいえ',
  search: '検索',
  back: '戻る',
  call: '電話をかける',
  optional: '任意',
  saved: '保存しました。',
  copy: 'コピー',
  copied: 'コピーしました。',
  news: 'お知らせ',
  notCopied: (text) => `ブラウザーがコピーを許可していません。手動でコピーしてください: ${text}`,
  nothingFound: '見つかりませんでした。',
  unknown: '不明',
  kinds: { lead: 'リード', contact: '連絡先', company: '会社', deal: '商談' },
  phoneLabels: { mobile: '携帯', home: '自宅', work: '職場', main: '代表', fax: 'FAX', other: 'その他' },
  roles: { rep: '担当者', manager: 'マネージャー', admin: '管理者' },
};

export const problems: Messages['problems'] = {
  unexpected: '問題が発生しました。もう一度お試しください。続く場合は管理者に操作内容をお知らせください。',
  unreachable: '電話システムに接続できません。ネットワークを確認してください。自動的に再接続します。',
  ownNumber: { missing: 'まだ自分の番号がありません。', assign: '番号を割り当てる' },
  codes: {
    unauthorized: 'メールアドレスまたはパスワードが正しくありません。',
  },
};
