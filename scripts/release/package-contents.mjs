/** What may be in the npm package, and what must be. */

/** Everything else is a mistake: a secret, a test, a left-over of a build. */
const ALLOWED = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md|SECURITY\.md)$/,
  /^src\/contract\/SPEC\.md$/,
  /^dist\/(?!console\/)[\w./-]+\.(js|js\.map|d\.ts)$/,
  /^dist\/console\/[\w./-]+\.(html|js|css|svg|png|ico|woff2|webmanifest)(\.br|\.gz)?$/,
  /^migrations\/(adapter|carota)\/[\w-]+\.sql$/,
  /^docs\/[\w./-]+\.(md|png)$/,
  // The dossier that docs/record.md shows, with its schema and the key to verify it.
  /^docs\/(dossier\/quickstart\.(jsonl|pdf|pub)|record\.schema\.json)$/,
];

/**
 * Faults of the package, one sentence each.
 *
 * @param {readonly string[]} files paths in the package
 * @param {{ bin: Record<string, string>, exports: Record<string, string | Record<string, string>> }} manifest
 * @param {readonly string[]} migrations paths of the migrations in the repository
 */
export function faultsOfPackage(files, manifest, migrations) {
  const packed = new Set(files);
  const named = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((target) =>
      typeof target === 'string' ? [target] : Object.values(target),
    ),
  ].map((path) => path.replace(/^\.\//, ''));
  const needed = new Set(['README.md', 'LICENSE', 'CHANGELOG.md', ...named, ...migrations]);
  return [
    ...files
      .filter((file) => file.startsWith('.') || !ALLOWED.some((pattern) => pattern.test(file)))
      .map((file) => `${file} does not belong in the package`),
    ...[...needed].filter((file) => !packed.has(file)).map((file) => `${file} is missing`),
  ];
}
