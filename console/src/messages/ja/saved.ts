/** 名前を付けて保存した一覧の絞り込み。 */
import type { Later } from '../en/later';

export const saved: Later['saved'] = {
  title: '保存した絞り込み',
  none: 'この一覧で保存した絞り込みはまだありません。',
  chooseFirst: '絞り込みの条件を選ぶと、ここで保存できます。',
  mine: '自分の絞り込み',
  shared: '共有された絞り込み',
  isShared: '共有中',
  save: 'この絞り込みを保存',
  edit: '絞り込みを編集',
  copy: 'リンクをコピー',
  copied: 'リンクをコピーしました。',
  name: '名前',
  share: '全員と共有',
  shareHint: '表示される内容は、それぞれの権限によって決まります。',
  replace: '現在の条件に置き換える',
  replaceHint: 'オフの場合、保存した条件は変わりません。',
  removing: '一覧の内容は変わりません。',
  removingShared: '全員の画面から消えます。一覧の内容は変わりません。',
  bulk: {
    all: '条件に合うすべての通話',
    selected: (count) => `${count} 件の通話を選択中`,
    select: (who, when) => `${who}（${when}）の通話を選択`,
    selectAll: '表示中の通話をすべて選択',
    export: 'CSV を書き出す',
    outcome: '結果を設定',
    outcomeHint: '選んだ通話のうち、自分の未保存のまとめがこの結果で保存されます。',
    saved: (count) =>
      count === 0 ? '選んだ通話に、自分の未保存のまとめはありません。' : `${count} 件のまとめを保存しました。`,
  },
};
