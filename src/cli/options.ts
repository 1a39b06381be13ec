/** Options that several commands have. */
import { InvalidArgumentError, Option } from 'commander';

export const wholeNumber = (text: string) => {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 1) {
    throw new InvalidArgumentError('must be a whole number from 1 on.');
  }
  return value;
};

export const limitOption = (most: number) =>
  new Option('--limit <number>', 'as many at most').default(most).argParser(wholeNumber);
