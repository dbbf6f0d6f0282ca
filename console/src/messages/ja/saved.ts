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
    topic: {
      title: '商談を設定',
      text: '選んだ通話のうち、自分のまとめにこの商談を結び付けます。相手の商談から選んでください。',
      none: '選んだ通話の相手には商談がありません。',
      which: '商談',
      without: '商談なし',
      does: '設定する',
      done: (count) => `${count} 件の通話に設定しました。`,
    },
    erase: {
      does: '録音を削除',
      title: (count) => `${count} 件の録音を削除しますか？`,
      text: '音声は完全に消去され、元に戻せません。通話の記録は残ります。',
      nothing: '削除できる録音はありません。',
      stays: {
        held: (count) => `${count} 件は法的保全の対象のため残ります。`,
        not_yours: (count) => `${count} 件は自分が参加していない通話のため残ります。`,
        being_made: (count) => `${count} 件は処理中のため残ります。`,
      },
      done: (count) => `${count} 件の録音を削除しました。`,
    },
  },
};
