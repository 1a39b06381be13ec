/** The dossier of a schedule: what a regulator reads. */
export * from './bad-dossier.js';
export * from './exact-lines.js';
export * from './pdf/write-pdf.js';
export * from './verify-dossier.js';
export * from './write-dossier.js';
