/**
 * Array parameters in PostgreSQL's binary format: for numbers and UUIDs, which both sides then copy instead of writing and
 * parsing their texts.
 */

import { type Allocate, allocateEach } from './parameter-space.js';

/** Of the element types (pg_type.dat). */
const INTEGER = { oid: 23, bytes: 4 };
const FLOAT8 = { oid: 701, bytes: 8 };
const UUID = { oid: 2950, bytes: 16 };

/** Dimensions, has-nulls flag, element type; then of the one dimension its length and lower bound (array_recv). */
const HEADER_BYTES = 20;
const LENGTH_BYTES = 4;
const NULL_LENGTH = -1;

type Write<Value> = (buffer: Buffer, value: Value, offset: number) => void;

const writeInteger: Write<number> = (buffer, value, offset) => {
  if (!Number.isInteger(value)) throw new RangeError(`not an integer: ${value}`);
  buffer.writeInt32BE(value, offset);
};
const writeFloat8: Write<number> = (buffer, value, offset) => {
  if (!Number.isFinite(value)) throw new RangeError(`not a finite number: ${value}`);
  buffer.writeDoubleBE(value, offset);
};
const writeUuid: Write<string> = (buffer, value, offset) => {
  const digits = value.length === 2 * UUID.bytes ? value : value.replaceAll('-', '');
  // Writing stops at the first character that is not hexadecimal.
  if (digits.length !== 2 * UUID.bytes || buffer.write(digits, offset, 'hex') !== UUID.bytes) {
    throw new RangeError(`not a UUID: ${value}`);
  }
};

/** `$1::integer[]`. @throws RangeError unless all are integers of 32 bits */
export const integerArray = (
  values: readonly (number | null)[],
  allocate: Allocate = allocateEach,
): Buffer => binaryArray(values, INTEGER, writeInteger, allocate);

/** `$1::float8[]`. @throws RangeError unless all are finite */
export const float8Array = (
  values: readonly (number | null)[],
  allocate: Allocate = allocateEach,
): Buffer => binaryArray(values, FLOAT8, writeFloat8, allocate);

/** `$1::uuid[]`. @param values 32 hexadecimal digits each, with or without hyphens @throws RangeError */
export const uuidArray = (
  values: readonly (string | null)[],
  allocate: Allocate = allocateEach,
): Buffer => binaryArray(values, UUID, writeUuid, allocate);

function binaryArray<Value>(
  values: readonly (Value | null)[],
  { oid, bytes }: { oid: number; bytes: number },
  write: Write<Value>,
  allocate: Allocate,
): Buffer {
  const buffer = allocate(HEADER_BYTES + values.length * (LENGTH_BYTES + bytes));
  buffer.writeInt32BE(1, 0);
  buffer.writeInt32BE(values.includes(null) ? 1 : 0, 4);
  buffer.writeInt32BE(oid, 8);
  buffer.writeInt32BE(values.length, 12);
  buffer.writeInt32BE(1, 16);
  let offset = HEADER_BYTES;
  for (const value of values) {
    buffer.writeInt32BE(value === null ? NULL_LENGTH : bytes, offset);
    offset += LENGTH_BYTES;
    if (value === null) continue;
    write(buffer, value, offset);
    offset += bytes;
  }
  return buffer.subarray(0, offset);
}
