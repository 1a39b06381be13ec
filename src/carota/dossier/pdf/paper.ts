/** Pages of a PDF: headings, facts and lines in sequence, with a footer on every page. */
import { createRequire } from 'node:module';
import PDFDocument from 'pdfkit';
import { type Block, type Fact } from './blocks.js';
import { printable } from './printable.js';

const require = createRequire(import.meta.url);

/** A4 in points, and its text area. */
const MARGIN = 50;
const FOOT = 60;
const SIZE = { title: 18, heading: 10, text: 8, foot: 6 };
const NAME_WIDTH = 150;
const GAP = 4;
/** Characters per piece of a long text: it may be longer than a page. */
const PIECE = 1_000;

export interface PaperFacts {
  readonly title: string;
  /** Footer of each page, before its number. */
  readonly foot: string;
  /** ms */
  readonly createdAt: number;
}

export class Paper {
  readonly #document: PDFKit.PDFDocument;
  readonly #hasGlyph: (codePoint: number) => boolean;
  readonly #foot: string;
  #pages = 0;

  constructor({ title, foot, createdAt }: PaperFacts) {
    const document = new PDFDocument({
      size: 'A4',
      margins: { top: MARGIN, left: MARGIN, right: MARGIN, bottom: FOOT },
      autoFirstPage: false,
      pdfVersion: '1.7',
      lang: 'en',
      displayTitle: true,
      info: {
        Title: title,
        Creator: 'OTA Operations',
        Producer: 'OTA Operations',
        CreationDate: new Date(createdAt),
        ModDate: new Date(createdAt),
      },
    });
    document.registerFont('text', require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans.ttf'));
    document.registerFont('bold', require.resolve('dejavu-fonts-ttf/ttf/DejaVuSans-Bold.ttf'));
    document.font('text');
    const { font } = (document as unknown as { _font: { font: Glyphs } })._font;
    this.#hasGlyph = (codePoint) => font.hasGlyphForCodePoint(codePoint);
    this.#document = document;
    this.#foot = this.#printable(foot);
    document.on('pageAdded', () => this.#writeFoot());
  }

  /** The bytes, as they come. */
  get output(): NodeJS.ReadableStream {
    return this.#document;
  }

  /** Starts a page. */
  part(title: string): void {
    const document = this.#document;
    document.addPage();
    document.outline.addItem(this.#printable(title));
    this.#write(title, 'bold', SIZE.title);
    document.moveDown(0.5);
  }

  write(block: Block): void {
    switch (block.kind) {
      case 'heading':
        this.#document.moveDown(0.6);
        this.#keepTogether(5 * SIZE.heading);
        this.#write(block.text, 'bold', SIZE.heading);
        break;
      case 'text':
        this.#document.moveDown(0.4);
        this.#keepTogether(5 * SIZE.heading);
        this.#write(block.title, 'bold', SIZE.text);
        this.#write(block.text, 'text', SIZE.text);
        break;
      case 'line':
        this.#write(block.text, 'text', SIZE.text);
        break;
      case 'facts':
        for (const fact of block.facts) this.#fact(fact);
    }
  }

  end(): void {
    this.#document.end();
  }

  /** Name and value side by side; a value longer than a page continues on the next. */
  #fact([name, value]: Fact): void {
    const document = this.#document;
    const label = this.#printable(name);
    const [first = '', ...more] = piecesOf(this.#printable(value));
    const width = this.#width - NAME_WIDTH - GAP;
    document.fontSize(SIZE.text);
    const height = Math.max(
      document.font('bold').heightOfString(label, { width: NAME_WIDTH }),
      document.font('text').heightOfString(first, { width }),
    );
    this.#keepTogether(height);
    const top = document.y;
    document.font('bold').text(label, MARGIN, top, { width: NAME_WIDTH });
    document.font('text').text(first, MARGIN + NAME_WIDTH + GAP, top, { width });
    document.x = MARGIN;
    document.y = Math.max(document.y, top + height);
    for (const piece of more) this.#paragraph(piece);
  }

  #write(text: string, font: 'text' | 'bold', size: number): void {
    this.#document.font(font).fontSize(size);
    for (const piece of piecesOf(this.#printable(text))) this.#paragraph(piece);
  }

  #paragraph(text: string): void {
    this.#document.text(text, MARGIN, undefined, { width: this.#width });
  }

  /** Starts a new page if this one has no room for that many points. */
  #keepTogether(height: number): void {
    const { y, page } = this.#document;
    if (y + height > page.height - FOOT && y > MARGIN) this.#document.addPage();
  }

  #writeFoot(): void {
    this.#pages += 1;
    const document = this.#document;
    const { page, x, y } = document;
    const { bottom } = page.margins;
    // Otherwise text below the margin would start a page.
    page.margins.bottom = 0;
    const at = page.height - FOOT / 2 - SIZE.foot;
    const options = { width: this.#width, lineBreak: false };
    const font = (document as unknown as { _font: unknown })._font;
    const size = (document as unknown as { _fontSize: number })._fontSize;
    document
      .font('text')
      .fontSize(SIZE.foot)
      .text(`${this.#foot} · page ${this.#pages}`, MARGIN, at, options);
    (document as unknown as { _font: unknown })._font = font;
    document.fontSize(size);
    page.margins.bottom = bottom;
    document.x = x;
    document.y = y;
  }

  get #width(): number {
    return this.#document.page.width - 2 * MARGIN;
  }

  #printable(text: string): string {
    return printable(text, this.#hasGlyph);
  }
}

interface Glyphs {
  hasGlyphForCodePoint(codePoint: number): boolean;
}

function piecesOf(text: string): string[] {
  if (text === '') return [' '];
  const characters = Array.from(text);
  const pieces: string[] = [];
  for (let start = 0; start < characters.length; start += PIECE) {
    pieces.push(characters.slice(start, start + PIECE).join(''));
  }
  return pieces;
}
