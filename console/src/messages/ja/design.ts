import type { Messages } from '../en';

export const design: Messages['design'] = {
  title: 'コンソールの部品',
  text: '画面を構成する部品を、すべての状態で表示します。',
  parts: { buttons: 'ボタン', forms: 'フォーム', signs: '表示', lists: 'リスト', layers: '重なり', calls: '通話' },
  word: '発信',
  busy: '保存中…',
  disabled: '使用不可',
  pressed: 'オン',
  link: 'リンク',
  label: '転送先の番号',
  hint: '誰も応答しないときに鳴らします。表記は自由です。',
  value: '長宗我部 権左衛門之助（株式会社東京特殊精密機械製作所）',
  problem: '電話番号として正しくありません。国番号を含めて確認してください。',
  on: 'オン',
  off: 'オフ',
  choice: '選択肢',
  empty: '通話がありません',
  sentence: '電話システムに接続できません。ネットワークを確認してください。自動的に再接続します。',
};
