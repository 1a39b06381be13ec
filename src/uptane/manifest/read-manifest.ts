/** Parses a vehicle version manifest that may come from an attacker. A well-formed one is not yet trusted. */
import { POUF } from '../checks/sections.js';
import { type Envelope, envelopeIn, readEnvelope } from '../metadata/envelope.js';
import { type Hashes, isDigest, isKnownAlgorithm, readHashes } from '../metadata/hashes.js';
import { parseUtcTime } from '../metadata/utc-time.js';
import { type Reader } from '../json/reader.js';
import { Refusal, type Subject } from '../refusal.js';
import { type EcuReport, type ReportedImage } from './ecu-report.js';
import { readNonce } from './nonce.js';
import { type Claim, claimOf } from './statement.js';
import { LARGEST_MANIFEST } from './vehicle-manifest.js';

/** One ECU's report, with the bytes covered by its signature. */
export interface ReportFile extends EcuReport, Statement {}

/** The signed content, and the claims of each signature, in their order. */
export interface Statement {
  readonly envelope: Envelope;
  readonly claims: readonly Claim[];
}

export interface ManifestFile extends Statement {
  readonly vin: string;
  readonly primary: string;
  /** Reports by serial number in the manifest. */
  readonly reports: ReadonlyMap<string, ReportFile>;
}

/** Maximum number of ECUs of a vehicle; cars have up to 150. */
const MOST_ECUS = 1_000;
const LONGEST_TEXT = 1_000;
const LONGEST_NAME = 256;
/** Names of attacks, known or not. */
const ATTACK = /^[a-z][a-z-]{0,63}$/;

const SUBJECT: Subject = { repository: 'director', role: 'manifest' };

/** @throws Refusal `malformed`, `length` */
export function readManifest(bytes: Uint8Array): ManifestFile {
  if (bytes.length > LARGEST_MANIFEST) {
    throw new Refusal(SUBJECT, {
      code: 'length',
      check: POUF.manifest,
      fault: 'is too long',
      expected: `at most ${LARGEST_MANIFEST} bytes`,
      found: `${bytes.length} bytes`,
    });
  }
  const envelope = readEnvelope(bytes, SUBJECT);
  const { signed } = envelope;
  checkType(signed, 'manifest');
  const reports = signed.member('ecuReports').members();
  if (reports.length > MOST_ECUS) signed.member('ecuReports').refuse(`at most ${MOST_ECUS} ECUs`);
  return {
    vin: signed.member('vin').string(),
    primary: signed.member('primary').string(),
    envelope,
    claims: envelope.signatures.map(claimOf),
    reports: new Map(reports.map(([ecuId, report]) => [ecuId, readReport(ecuId, report)])),
  };
}

function readReport(ecuId: string, report: Reader): ReportFile {
  const envelope = envelopeIn(report, SUBJECT);
  const { signed } = envelope;
  checkType(signed, 'ecu-report');
  const ecu = signed.member('ecu');
  // Otherwise one ECU's report could be passed off as another's.
  if (ecu.string() !== ecuId) ecu.refuse(`${ecuId}, under which the manifest has this report`);
  const installed = signed.optional('installed');
  return {
    envelope,
    claims: envelope.signatures.map(claimOf),
    vin: signed.member('vin').string(),
    ecuId,
    hardwareId: text(signed.member('hardwareId'), LONGEST_NAME),
    installed: installed && readImage(installed),
    time: readTime(signed.member('time')),
    nonce: readNonce(signed.member('nonce')),
    attack: readAttack(signed.optional('attack')),
    reason: readReason(signed.optional('reason')),
  };
}

function checkType(signed: Reader, type: string): void {
  const actual = signed.member('_type');
  if (actual.string() !== type) actual.refuse(`"${type}"`);
}

function readImage(image: Reader): ReportedImage {
  return {
    path: text(image.member('path'), LONGEST_TEXT),
    length: image.member('length').integer(0),
    hashes: readKnownHashes(image.member('hashes')),
    releaseCounter: image.member('releaseCounter').integer(),
  };
}

/** Hashes of other algorithms are not kept. */
function readKnownHashes(member: Reader): Hashes {
  const supported = new Map<string, string>();
  for (const [algorithm, digest] of readHashes(member)) {
    if (!isKnownAlgorithm(algorithm)) continue;
    if (!isDigest(algorithm, digest)) member.member(algorithm).refuse(`a ${algorithm} in hex`);
    supported.set(algorithm, digest);
  }
  return supported.size > 0 ? supported : member.refuse('a hash by sha256 or sha512');
}

function readTime(member: Reader): Date {
  return parseUtcTime(member.string()) ?? member.refuse('a time like 2030-01-31T23:59:59Z');
}

function readAttack(member: Reader | undefined): string | undefined {
  if (member === undefined || ATTACK.test(member.string())) return member?.string();
  return member.refuse('a name of lower-case letters and hyphens');
}

const readReason = (member: Reader | undefined) => member && text(member, LONGEST_TEXT);

function text(member: Reader, longest: number): string {
  const value = member.string();
  if (value.length > longest) member.refuse(`at most ${longest} characters`);
  // Databases cannot store it.
  if (value.includes('\0')) member.refuse('a text without the NUL character');
  return value;
}
