/** The redrawn lines at the bottom of a terminal, with other text scrolling above them. */

/** Part of a line in one colour. */
export interface Piece {
  readonly text: string;
  readonly paint?: ((text: string) => string) | undefined;
}
export type Line = readonly Piece[];

export interface Terminal {
  readonly columns?: number;
  readonly rows?: number;
  write(text: string): unknown;
}

/** If the terminal does not report its size. */
const COLUMNS = 80;
const ROWS = 24;
/** Cursor to the first column, and erase from there to the end of the screen (ECMA-48: CR, ED). */
const ERASE_BELOW = '\r\u001B[0J';

export class TerminalArea {
  readonly #terminal: Terminal;
  /** Width of each drawn line, in cells. */
  #drawn: number[] = [];
  #lines: readonly Line[] = [];

  constructor(terminal: Terminal) {
    this.#terminal = terminal;
  }

  /** Cells of a line that never wraps: some terminals wrap when the last cell is written. */
  get width(): number {
    return Math.max(1, (this.#terminal.columns ?? COLUMNS) - 1);
  }

  /** Available lines, excluding the cursor's line. */
  get height(): number {
    return Math.max(1, (this.#terminal.rows ?? ROWS) - 1);
  }

  /** Replaces the drawn lines; cut to the terminal's size. */
  draw(lines: readonly Line[]): void {
    this.#lines = lines;
    this.#terminal.write(this.#erase() + this.#paint());
  }

  /** Writes whole lines above the drawn ones. */
  above(text: string): void {
    this.#terminal.write(`${this.#erase()}${text.trimEnd()}\n${this.#paint()}`);
  }

  /** Leaves the drawn lines on screen. */
  leave(): void {
    this.#drawn = [];
    this.#lines = [];
  }

  #erase(): string {
    // If the terminal has become narrower, it has wrapped the lines.
    const columns = this.#terminal.columns ?? COLUMNS;
    const rows = this.#drawn.reduce(
      (sum, cells) => sum + Math.max(1, Math.ceil(cells / columns)),
      0,
    );
    const up = Math.min(rows, this.height);
    return `${up === 0 ? '' : `\u001B[${up}A`}${ERASE_BELOW}`;
  }

  #paint(): string {
    const cut = this.#lines.slice(0, this.height).map((line) => cutTo(line, this.width));
    this.#drawn = cut.map((line) => line.reduce((sum, { text }) => sum + cellsOf(text), 0));
    return cut.map((line) => `${line.map(painted).join('')}\n`).join('');
  }
}

const painted = ({ text, paint }: Piece) => (paint ? paint(text) : text);

/** Characters that take two cells: East Asian wide ones and emoji (Unicode, UAX 11). */
const WIDE =
  /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{3FFFD}]/u;
const CONTROL = /[\p{Cc}\p{Cf}]/gu;

const cellsOf = (text: string) =>
  Array.from(text).reduce((sum, character) => sum + (WIDE.test(character) ? 2 : 1), 0);

/** Text from a server must not control the terminal. */
function cutTo(line: Line, cells: number): Piece[] {
  const cut: Piece[] = [];
  let left = cells;
  for (const { text, paint } of line) {
    let kept = '';
    for (const character of text.replace(CONTROL, '?')) {
      left -= cellsOf(character);
      if (left < 0) break;
      kept += character;
    }
    cut.push({ text: kept, paint });
    if (left < 0) break;
  }
  return cut;
}
