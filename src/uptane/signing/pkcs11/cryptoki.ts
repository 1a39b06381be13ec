/**
 * Calls of a PKCS #11 module through `koffi`, which loads native libraries. It is an optional dependency, used only
 * here. Its packages contain binaries instead of compiling at installation.
 *
 * Structures have the C layout of 64-bit machines other than Windows.
 */
import type * as Koffi from 'koffi';
import { CKR_OK, RETURN_VALUES } from './constants.js';

/** A fault of the token, its module or its library; the message names the failed call and the reason. */
export class Pkcs11Fault extends Error {
  override readonly name = 'Pkcs11Fault';
}

/** `CK_ATTRIBUTE`, to set or to look for. */
export interface Attribute {
  readonly type: number;
  readonly value: Uint8Array;
}

/** `CK_MECHANISM` */
export interface Mechanism {
  readonly type: number;
  readonly parameter?: Uint8Array;
}

type Argument = bigint | number | Uint8Array | null;

/** Returns `CK_RV`. */
type Call = (...values: readonly Argument[]) => number | bigint;

/** Bytes of `CK_ULONG`, and of a pointer. */
const ULONG = 8;

export function ulong(value: number | bigint): Buffer {
  const bytes = Buffer.alloc(ULONG);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
}

const ulongs = (bytes: Buffer, count: number): bigint[] =>
  Array.from({ length: count }, (_, index) => bytes.readBigUInt64LE(index * ULONG));

/** @throws Pkcs11Fault if `koffi` is not installed, or there is no such module */
export async function loadCryptoki(modulePath: string): Promise<Cryptoki> {
  if (process.platform === 'win32' || !['x64', 'arm64'].includes(process.arch)) {
    throw new Pkcs11Fault(`PKCS #11 is not supported on ${process.platform} ${process.arch}`);
  }
  let koffi: typeof Koffi;
  try {
    koffi = await import('koffi');
  } catch {
    throw new Pkcs11Fault('PKCS #11 needs the package koffi: npm install koffi');
  }
  try {
    return new Cryptoki(koffi, koffi.load(modulePath));
  } catch (error) {
    throw new Pkcs11Fault(
      `the PKCS #11 module ${modulePath} cannot be loaded: ${(error as Error).message}`,
    );
  }
}

export class Cryptoki {
  readonly #koffi: typeof Koffi;
  readonly #library: Koffi.LibraryHandle;
  readonly #functions = new Map<string, Call>();

  constructor(koffi: typeof Koffi, library: Koffi.LibraryHandle) {
    this.#koffi = koffi;
    this.#library = library;
  }

  /**
   * A function of the module. Numbers are `CK_ULONG`, bytes and `null` are pointers.
   *
   * @param accepted return values other than `CKR_OK` that do not indicate a failure
   * @throws Pkcs11Fault
   */
  call(name: string, values: readonly Argument[], accepted: readonly number[] = []): void {
    const returned = Number(this.#function(name, values)(...values));
    if (returned === CKR_OK || accepted.includes(returned)) return;
    const meaning = RETURN_VALUES.get(returned) ?? `error 0x${returned.toString(16)}`;
    throw new Pkcs11Fault(`PKCS #11, ${name}: ${meaning}`);
  }

  /** A function that fills a list of numbers, after a first call for its length. */
  list(name: string, before: readonly Argument[]): bigint[] {
    const count = ulong(0);
    this.call(name, [...before, null, count]);
    const items = Buffer.alloc(ULONG * Math.max(1, Number(count.readBigUInt64LE())));
    this.call(name, [...before, items, count]);
    return ulongs(items, Number(count.readBigUInt64LE()));
  }

  /** The objects of a session with all these attributes. */
  findObjects(session: bigint, template: readonly Attribute[]): bigint[] {
    const found: bigint[] = [];
    this.withAttributes(template, (attributes) =>
      this.call('C_FindObjectsInit', [session, attributes, template.length]),
    );
    const batch = 64;
    const objects = Buffer.alloc(ULONG * batch);
    const count = ulong(0);
    do {
      this.call('C_FindObjects', [session, objects, batch, count]);
      found.push(...ulongs(objects, Number(count.readBigUInt64LE())));
    } while (count.readBigUInt64LE() > 0n);
    this.call('C_FindObjectsFinal', [session]);
    return found;
  }

  /** An attribute's value of at most 4,096 bytes. */
  attribute(session: bigint, object: bigint, type: number): Buffer {
    const value = Buffer.alloc(4_096);
    const length = this.withAttributes([{ type, value }], (attributes) => {
      this.call('C_GetAttributeValue', [session, object, attributes, 1]);
      return Number(attributes.readBigUInt64LE(2 * ULONG));
    });
    return value.subarray(0, length);
  }

  /** @param work must not keep the list: its values are valid only during the call */
  withAttributes<T>(list: readonly Attribute[], work: (attributes: Buffer) => T): T {
    const values = list.map(({ value }) =>
      Buffer.from(value.buffer, value.byteOffset, value.length),
    );
    const attributes = Buffer.concat(
      list.flatMap(({ type }, index) => {
        const value = values[index] ?? Buffer.alloc(0);
        return [ulong(type), ulong(this.#address(value)), ulong(value.length)];
      }),
    );
    return work(attributes);
  }

  withMechanism<T>({ type, parameter }: Mechanism, work: (mechanism: Buffer) => T): T {
    const bytes = parameter && Buffer.from(parameter);
    const address = bytes ? this.#address(bytes) : 0n;
    return work(Buffer.concat([ulong(type), ulong(address), ulong(bytes?.length ?? 0)]));
  }

  #address(bytes: Buffer): bigint {
    return bytes.length === 0 ? 0n : this.#koffi.address(bytes);
  }

  #function(name: string, values: readonly Argument[]): Call {
    const cached = this.#functions.get(name);
    if (cached) return cached;
    const types = values.map((value) =>
      typeof value === 'number' || typeof value === 'bigint' ? 'ulong' : 'void *',
    );
    const loaded = this.#library.func(name, 'ulong', types) as Call;
    this.#functions.set(name, loaded);
    return loaded;
  }
}
