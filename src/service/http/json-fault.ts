/** Where a text stops being JSON. Pure. */
import { printParseErrorCode, visit } from 'jsonc-parser';

/** The first fault of a text that `JSON.parse` rejects. */
export interface JsonFault {
  /** e.g. `InvalidSymbol` */
  readonly name: string;
  /** Characters from the beginning, from 0. */
  readonly offset: number;
}

/** The search takes far longer than parsing: keep the text short. */
export function jsonFault(text: string): JsonFault {
  let first: JsonFault | undefined;
  const stop = new Error('stop');
  try {
    visit(
      text,
      {
        onError: (error, offset) => {
          first = { name: printParseErrorCode(error), offset };
          throw stop;
        },
      },
      { disallowComments: true, allowTrailingComma: false },
    );
  } catch (error) {
    // Text nested too deeply for the scanner still gets an answer.
    if (error !== stop) return { name: 'nested too deep', offset: 0 };
  }
  return first ?? { name: 'invalid text', offset: 0 };
}
