import { describe, expect, it } from 'vitest';
import { parsed, pieces } from './markdown';

describe('a script', () => {
  it('has headings, lists and paragraphs (V11)', () => {
    const [heading, paragraph, list] = parsed('# First call\n\nHello, this is\nMio.\n\n- Ask\n- Agree\n');
    expect(heading).toEqual({ kind: 'heading', level: 1, pieces: [{ text: 'First call' }] });
    expect(paragraph).toEqual({ kind: 'paragraph', lines: [[{ text: 'Hello, this is' }], [{ text: 'Mio.' }]] });
    expect(list).toEqual({ kind: 'list', ordered: false, start: 1, items: [[{ text: 'Ask' }], [{ text: 'Agree' }]] });
  });

  it('goes on with an item whose line was broken, and begins a new list after words', () => {
    const blocks = parsed('1. One\n   and more\n2) Two\n\nWords\n- Other');
    expect(blocks.map(({ kind }) => kind)).toEqual(['list', 'paragraph', 'list']);
    expect(blocks[0]).toMatchObject({
      ordered: true,
      items: [[{ text: 'One' }, { text: ' and more' }], [{ text: 'Two' }]],
    });
  });

  it('knows no headings deeper than three, and takes the closing signs away', () => {
    expect(parsed('##### Deep ##')[0]).toMatchObject({ level: 3, pieces: [{ text: 'Deep' }] });
  });

  it('shows what an attacker writes as the text it is', () => {
    const text = '<img src=x onerror=alert(1)> [a](javascript:alert(1)) `code`';
    expect(parsed(text)).toEqual([{ kind: 'paragraph', lines: [[{ text }]] }]);
  });

  it('takes long lines of signs without stumbling', () => {
    const began = Date.now();
    parsed('*'.repeat(20_000) + '\n' + '#'.repeat(20_000) + '\n' + ' '.repeat(20_000) + 'x');
    expect(Date.now() - began).toBeLessThan(1_000);
  });
});

describe('a line', () => {
  it('has bold and emphasised words', () => {
    expect(pieces('Is it **Mara Lind**? *Slowly*.')).toEqual([
      { text: 'Is it ' },
      { text: 'Mara Lind', strong: true },
      { text: '? ' },
      { text: 'Slowly', emphasis: true },
      { text: '.' },
    ]);
  });

  it('keeps stars that mark nothing', () => {
    expect(pieces('5 * 3 ** 2')).toEqual([{ text: '5 * 3 ** 2' }]);
  });
});
