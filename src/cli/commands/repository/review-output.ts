/** Shows a proposal to the person who is about to sign or publish it. */
import { type Review } from '../../../uptane/repository/index.js';
import { print } from '../../output.js';

export function printReview({ lines, faults }: Review): void {
  for (const line of lines) print(line);
  if (faults.length === 0) return;
  print();
  print('This cannot be signed:');
  for (const fault of faults) print(`  ${fault}`);
}
