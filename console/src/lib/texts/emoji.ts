/** Emoji that people write to customers, by what they are about, with words to find them by. Loaded with the picker. */
export interface EmojiGroup {
  key: string;
  /** The character and, after a space, what it is called. */
  each: [string, string][];
}

const group = (key: string, text: string): EmojiGroup => ({
  key,
  each: text
    .trim()
    .split('\n')
    .map((line) => {
      const [sign = '', ...words] = line.trim().split(' ');
      return [sign, words.join(' ')];
    }),
});

export const GROUPS: EmojiGroup[] = [
  group(
    'faces',
    `😀 grin smile 笑顔
😃 happy smile 笑顔
😄 laugh smile 笑い
😁 beam smile にこにこ
😊 blush smile 微笑み
🙂 slight smile 微笑み
😉 wink ウインク
😂 tears of joy laugh 泣き笑い
🤣 rolling laugh 爆笑
😍 heart eyes love 大好き
🥰 love hearts 愛
😎 cool sunglasses サングラス
🤔 think hmm 考える
😅 sweat smile 汗
😮 wow surprise 驚き
😢 sad cry 悲しい
😭 cry 泣く
😴 sleep 眠い
🤒 ill fever 病気
🥳 party celebrate お祝い
🙇 bow sorry thanks お辞儀
🤗 hug ハグ
😬 grimace oops 気まずい
🙄 roll eyes 呆れ`,
  ),
  group(
    'hands',
    `👍 thumbs up yes good いいね
👎 thumbs down no だめ
👌 ok perfect オーケー
🙏 please thanks pray お願い ありがとう
👏 clap applause 拍手
🙌 hooray raise hands 万歳
🤝 handshake deal 握手
👋 wave hello bye 手を振る
✌️ victory peace ピース
🤞 fingers crossed luck 幸運
💪 strong muscle 力
👉 point right 右
👇 point down 下
👀 eyes look 見る
🙋 raise hand question 挙手
👩‍💻 computer woman パソコン
👨‍💻 computer man パソコン
👥 people team チーム`,
  ),
  group(
    'hearts',
    `❤️ red heart love ハート
🧡 orange heart ハート
💛 yellow heart ハート
💚 green heart ハート
💙 blue heart ハート
💜 purple heart ハート
💖 sparkling heart ハート
💯 hundred perfect 満点
✨ sparkles きらきら
🎉 party celebrate お祝い
🎊 confetti お祝い
🎁 gift present 贈り物`,
  ),
  group(
    'work',
    `📞 phone call 電話
📱 mobile phone スマホ
💬 speech message 吹き出し
📧 mail メール
📅 calendar date 予定
📆 calendar 日付
⏰ alarm time 時間
⏳ wait time 待つ
📎 clip attachment クリップ
📄 document 書類
📝 note write メモ
✅ done check 完了
☑️ check チェック
📌 pin 重要
📊 chart report グラフ
📈 chart up 上昇
💼 briefcase work 仕事
🏢 office building 会社
💡 idea light アイデア
🔑 key 鍵
🔒 lock secure 安全
💰 money お金
💳 card payment カード
🧾 receipt bill 領収書
📦 package parcel 荷物
🚚 delivery truck 配達
🛠️ tools repair 修理
🖨️ printer 印刷`,
  ),
  group(
    'nature',
    `☀️ sun weather 晴れ
⛅ cloud sun 曇り
🌧️ rain 雨
❄️ snow 雪
⚡ lightning 雷
🌈 rainbow 虹
🌸 cherry blossom 桜
🌹 rose バラ
🍀 clover luck クローバー
🌲 tree 木
🐶 dog 犬
🐱 cat 猫
🌍 earth world 地球
🌙 moon night 月
⭐ star 星
🔥 fire hot 火`,
  ),
  group(
    'food',
    `☕ coffee コーヒー
🍵 tea お茶
🍺 beer ビール
🍻 cheers beer 乾杯
🍷 wine ワイン
🥂 cheers toast 乾杯
🍰 cake ケーキ
🎂 birthday cake 誕生日
🍕 pizza ピザ
🍔 burger ハンバーガー
🍣 sushi 寿司
🍜 ramen noodles ラーメン
🍱 bento lunch 弁当
🍎 apple りんご`,
  ),
  group(
    'travel',
    `🚗 car 車
🚕 taxi タクシー
🚆 train 電車
🚄 bullet train 新幹線
✈️ plane flight 飛行機
🚲 bicycle 自転車
🚶 walk 歩く
🏠 home house 家
🏨 hotel ホテル
📍 place map 場所
🗺️ map 地図
🅿️ parking 駐車場
🎫 ticket チケット
🏖️ beach holiday 休暇`,
  ),
  group(
    'signs',
    `❗ important 重要
❓ question 質問
⚠️ warning 注意
🚫 no forbidden 禁止
❌ no cross ばつ
⭕ circle yes 丸
➡️ right arrow 右
⬅️ left arrow 左
⬆️ up arrow 上
⬇️ down arrow 下
🔄 again refresh 更新
🆗 ok オーケー
🆕 new 新しい
🔔 bell notice 通知
🎵 music 音楽
©️ copyright 著作権`,
  ),
];

export function found(text: string): EmojiGroup[] {
  const wanted = text.trim().toLocaleLowerCase();
  if (!wanted) return GROUPS;
  return GROUPS.map(({ key, each }) => ({ key, each: each.filter(([, words]) => words.includes(wanted)) })).filter(
    ({ each }) => each.length,
  );
}
