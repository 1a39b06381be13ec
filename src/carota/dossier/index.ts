/** The dossier of a schedule, for regulators. */
export * from './bad-dossier.js';
export * from './exact-lines.js';
export * from './pdf/write-pdf.js';
export * from './verify-dossier.js';
export * from './write-dossier.js';
