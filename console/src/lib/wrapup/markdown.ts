/**
 * The little of Markdown that scripts are written in: headings, lists, bold and emphasised words, paragraphs. It gives
 * parts to be drawn, never HTML, so that whatever an admin or a contact's name holds stays text.
 */

export interface Piece {
  text: string;
  strong?: boolean;
  emphasis?: boolean;
}

export type Block =
  | { kind: 'heading'; level: 1 | 2 | 3; pieces: Piece[] }
  | { kind: 'list'; ordered: boolean; start: number; items: Piece[][] }
  | { kind: 'paragraph'; lines: Piece[][] };

const HEADING = /^(#{1,6})\s+(.*?)\s*#*$/;
const BULLET = /^\s*[-*+]\s+(.*)$/;
const NUMBER = /^\s*(\d{1,4})[.)]\s+(.*)$/;
const MARKED = /\*\*(?=\S)(.+?)(?<=\S)\*\*|\*(?=\S)([^*]+?)(?<=\S)\*/g;

export function parsed(source: string): Block[] {
  const blocks: Block[] = [];
  let open = false; // whether the next line may go on with the last block
  for (const line of source.split(/\r\n?|\n/)) {
    if (!line.trim()) {
      open = false;
      continue;
    }
    take(blocks, line, open);
    open = true;
  }
  return blocks;
}

function take(blocks: Block[], line: string, open: boolean): void {
  const heading = HEADING.exec(line);
  if (heading) {
    const level = Math.min(heading[1]?.length ?? 1, 3) as 1 | 2 | 3;
    blocks.push({ kind: 'heading', level, pieces: pieces(heading[2] ?? '') });
    return;
  }
  const item = itemOf(line);
  const last = blocks.at(-1);
  if (item) {
    if (last?.kind === 'list' && last.ordered === item.ordered) last.items.push(pieces(item.text));
    else blocks.push({ kind: 'list', ordered: item.ordered, start: item.start, items: [pieces(item.text)] });
  } else if (open && last?.kind === 'list') last.items.at(-1)?.push(...pieces(` ${line.trim()}`));
  else if (open && last?.kind === 'paragraph') last.lines.push(pieces(line.trim()));
  else blocks.push({ kind: 'paragraph', lines: [pieces(line.trim())] });
}

function itemOf(line: string): { ordered: boolean; start: number; text: string } | null {
  const bullet = BULLET.exec(line);
  if (bullet) return { ordered: false, start: 1, text: bullet[1] ?? '' };
  const number = NUMBER.exec(line);
  return number ? { ordered: true, start: Number(number[1]), text: number[2] ?? '' } : null;
}

export function pieces(text: string): Piece[] {
  const found: Piece[] = [];
  let from = 0;
  for (const marked of text.matchAll(MARKED)) {
    if (marked.index > from) found.push({ text: text.slice(from, marked.index) });
    found.push(marked[1] !== undefined ? { text: marked[1], strong: true } : { text: marked[2] ?? '', emphasis: true });
    from = marked.index + marked[0].length;
  }
  if (from < text.length) found.push({ text: text.slice(from) });
  return found;
}
