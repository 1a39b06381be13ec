/**
 * The update script: what a `script-ref-id` stands for. It is a target of the image repository; the vehicle fetches,
 * verifies and executes it. The contract names it and leaves its format open; this format is ours.
 */
import Type from '../typebox.js';
import { Pattern } from '../values/pattern.js';
import { Identifier, PrintableText, Text } from '../values/text.js';

/** Name of an ECU; also the name of a directory in the vehicle. */
export const EcuName = Pattern(
  '^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$',
  'must be 1 to 64 letters, digits, _ or -, the first a letter or digit',
  { description: 'Letters, digits, _ and -.', examples: ['HU'] },
);

/** e.g. `1.4.0`, `2026.11-rc2`; see `compareVersions` for their order. */
export const Version = Pattern(
  '^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}$',
  'must be a version: 1 to 64 letters, digits, . _ + or -, the first a letter or digit',
  { examples: ['1.4.0'] },
);

/** A SHA-256 digest: 64 lower-case hexadecimal digits. */
export const Sha256 = Pattern(
  '^[0-9a-f]{64}$',
  'must be a SHA-256: 64 hexadecimal digits in lower case',
  { description: 'SHA-256, hexadecimal.' },
);

/** A file to install, identified by its content. */
export const Artifact = Type.Object(
  {
    sha256: Sha256,
    md5: Pattern('^[0-9a-f]{32}$', 'must be 32 hexadecimal digits in lower case', {
      description: 'MD5, hexadecimal.',
    }),
    size: Type.Integer({ minimum: 1, maximum: Number.MAX_SAFE_INTEGER, description: 'Bytes.' }),
  },
  { additionalProperties: false, title: 'Artifact' },
);
export type Artifact = Type.Static<typeof Artifact>;

const VersionPattern = Pattern(
  '^[A-Za-z0-9][A-Za-z0-9._+-]{0,63}(\\.\\*)?$',
  'must be a version such as 1.3.0, or a prefix of one such as 1.3.*',
  { maxLength: 66, examples: ['1.3.*'] },
);

/** Software of another ECU, which an image depends on or conflicts with. */
export const OtherSoftware = Type.Object(
  {
    ecu: EcuName,
    versions: Type.Array(VersionPattern, {
      minItems: 1,
      maxItems: 1_000,
      description: 'Versions of the ECU once the script is installed; any of them matches.',
    }),
  },
  { additionalProperties: false, title: 'OtherSoftware' },
);
/** Software of another ECU, which an image depends on or conflicts with. */
export type OtherSoftware = Type.Static<typeof OtherSoftware>;

/** The update of one ECU. */
export const EcuUpdate = Type.Object(
  {
    ecu: EcuName,
    version: Version,
    artifact: Artifact,
    from: Type.Optional(
      Type.Array(VersionPattern, {
        minItems: 1,
        maxItems: 1_000,
        description: 'Versions from which the update may start; absent: any.',
      }),
    ),
    after: Type.Optional(
      Type.Array(EcuName, { maxItems: 100, description: 'ECUs to install before this one.' }),
    ),
    requires: Type.Optional(
      Type.Array(OtherSoftware, {
        maxItems: 100,
        description: 'Software that other ECUs must run once the script is installed.',
      }),
    ),
    conflicts: Type.Optional(
      Type.Array(OtherSoftware, {
        maxItems: 100,
        description: 'Software that no other ECU may run once the script is installed.',
      }),
    ),
  },
  { additionalProperties: false, title: 'EcuUpdate' },
);
/** The update of one ECU. */
export type EcuUpdate = Type.Static<typeof EcuUpdate>;

const DAY = 24 * 60 * 60;
/** Default timeout of consent and preconditions, seconds. */
export const DEFAULT_TIMEOUT = DAY;
const Timeout = (description: string) =>
  Type.Integer({ minimum: 1, maximum: 365 * DAY, default: DEFAULT_TIMEOUT, description });

const ClockTime = Pattern(
  '^([01][0-9]|2[0-3]):[0-5][0-9]$',
  'must be a time of day such as 22:00',
  { maxLength: 5, description: 'Hour and minute.', examples: ['22:00'] },
);

/** A daily time span; it extends past midnight if `to` is earlier than `from`. */
export const DailyWindow = Type.Object(
  { from: ClockTime, to: ClockTime },
  { additionalProperties: false, title: 'DailyWindow' },
);
export type DailyWindow = Type.Static<typeof DailyWindow>;

/** Conditions that the vehicle must meet before the download and before the installation. */
export const Preconditions = Type.Object(
  {
    battery: Type.Optional(
      Type.Number({ minimum: 0, maximum: 100, description: 'Minimum charge, percent.' }),
    ),
    gear: Type.Optional(Type.Literal('park')),
    ignition: Type.Optional(Type.Enum(['on', 'off'])),
    timeout: Type.Optional(Timeout('How long the vehicle waits for them, seconds.')),
  },
  { additionalProperties: false, title: 'Preconditions' },
);
/** Conditions that the vehicle must meet before the download and before the installation. */
export type Preconditions = Type.Static<typeof Preconditions>;

const Consent = Type.Object(
  {
    text: Text(10_000, 'Text shown to the user.', 1),
    language: Type.Optional(
      Pattern('^[A-Za-z]{2,8}(-[A-Za-z0-9]{1,8})*$', 'must be a language tag such as en or de-CH', {
        maxLength: 35,
        description: 'Language of the text (BCP 47).',
        examples: ['en'],
      }),
    ),
    textVersion: Type.Optional(Version),
    timeout: Type.Optional(Timeout('Seconds after which a missing answer counts as a refusal.')),
  },
  { additionalProperties: false, title: 'Consent' },
);

/** Software that an RXSWIN stands for once the update is installed, also of ECUs that the script does not update. */
const RegulatedSoftware = Type.Object(
  { ecu: EcuName, version: Version, sha256: Sha256 },
  { additionalProperties: false, title: 'RegulatedSoftware' },
);

/** An RX Software Identification Number (UN R156, 2.2): its form is the manufacturer's. */
const Rxswin = (description: string) =>
  PrintableText({ minLength: 1, maxLength: 100, description });

/** The effect of the update on the type approval under one regulation (UN R156, 7.1.2.3). */
const AffectedRegulation = Type.Object(
  {
    regulation: PrintableText({
      minLength: 1,
      maxLength: 100,
      description: 'The regulation.',
      examples: ['UN R79'],
    }),
    rxswinBefore: Rxswin('RXSWIN before the update.'),
    rxswinAfter: Rxswin('RXSWIN after the update; unchanged if the type approval is not affected.'),
    software: Type.Array(RegulatedSoftware, {
      minItems: 1,
      maxItems: 1_000,
      description: 'The software that the new RXSWIN identifies, each ECU once.',
    }),
  },
  { additionalProperties: false, title: 'AffectedRegulation' },
);

/** Information about the update that regulators require (UN R156, 7.1.2). */
export const UpdateRecord = Type.Object(
  {
    purpose: Text(10_000, 'Purpose of the update.', 1),
    systems: Type.Array(
      PrintableText({ minLength: 1, maxLength: 200, description: 'A system of the vehicle.' }),
      { minItems: 1, maxItems: 100, description: 'Systems and functions that it may affect.' },
    ),
    regulations: Type.Array(AffectedRegulation, {
      maxItems: 100,
      description: 'Regulations whose software it changes, each once; empty: none.',
    }),
  },
  { additionalProperties: false, title: 'UpdateRecord' },
);
/** Information about the update that regulators require (UN R156, 7.1.2). */
export type UpdateRecord = Type.Static<typeof UpdateRecord>;

/**
 * An update script: what each ECU gets, from which versions, in which order and under which conditions. Times are in
 * seconds, sizes in bytes.
 */
export const UpdateScript = Type.Object(
  {
    version: Type.Literal('v1'),
    'script-ref-id': Identifier(
      'Permanent id of the script: different content needs a different id.',
    ),
    model: Identifier('Vehicle model.'),
    ecus: Type.Array(EcuUpdate, { minItems: 1, maxItems: 100 }),
    consent: Type.Optional(Consent),
    preconditions: Type.Optional(Preconditions),
    window: Type.Optional(DailyWindow),
    rollback: Type.Optional(
      Type.Boolean({
        default: true,
        description: 'Whether to roll back if the new software fails.',
      }),
    ),
    downgrade: Type.Optional(
      Type.Boolean({
        default: false,
        description: 'Whether an older version may replace a newer one.',
      }),
    ),
    record: Type.Optional(UpdateRecord),
  },
  { additionalProperties: false, title: 'UpdateScript' },
);
/** A script that fits the schema {@link UpdateScript}. */
export type UpdateScript = Type.Static<typeof UpdateScript>;

/** The answer to a vehicle that asks where the artifacts of a script are. */
export const ArtifactLocations = Type.Object(
  {
    artifacts: Type.Record(Sha256, Type.String(), {
      additionalProperties: false,
      description: 'Temporary download URL of each artifact, by its SHA-256.',
    }),
  },
  { title: 'ArtifactLocations' },
);
export type ArtifactLocations = Type.Static<typeof ArtifactLocations>;
